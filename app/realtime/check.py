"""The container's health check, without Django and in milliseconds: `python -I -S realtime/check.py web|ws`.

`web` asks for /health/live. `ws` does what a browser would: a WebSocket handshake, and then the server's close.
Asks 127.0.0.1:$PORT (default 8000). Exit status 0: healthy. 1: not, with a line that says what came instead.
"""

import os
import socket
import sys

SECONDS = 2.0
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: Y29udGFpbmVyLWNoZWNrLg==\r\n"
)
CLOSED_1000 = b"\x88\x02\x03\xe8"  # a whole close frame


def main(role: str, port: int) -> int:
    try:
        answer = ROLES[role](port)
    except OSError as error:
        print(f"{role}: {error}")
        return 1
    if answer:
        print(f"{role}: {answer[:200]!r}")
    return 1 if answer else 0


def web(port: int) -> bytes:
    """What came instead of 200, or nothing."""
    answer = ask(port, GET % (b"/health/live", b"Connection: close\r\n"), b"\r\n")
    return b"" if answer.startswith(b"HTTP/1.1 200 ") else answer or b"no answer"


def ws(port: int) -> bytes:
    """What came instead of 101 and a close with 1000, or nothing."""
    answer = ask(port, GET % (b"/ws/health/", UPGRADE), CLOSED_1000)
    good = answer.startswith(b"HTTP/1.1 101 ") and answer.endswith(CLOSED_1000)
    return b"" if good else answer or b"no answer"


def ask(port: int, request: bytes, end: bytes) -> bytes:
    """The answer up to `end`, or as much of it as came in time. Raises OSError where nobody listens."""
    answer = b""
    with socket.socket() as connection:  # create_connection would load the tables of international names
        connection.settimeout(SECONDS)
        connection.connect(("127.0.0.1", port))
        connection.sendall(request)
        while end not in answer and (data := receive(connection)):
            answer += data
    return answer


def receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except TimeoutError:
        return b""


ROLES = {"web": web, "ws": ws}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(os.environ.get("PORT", "8000"))))

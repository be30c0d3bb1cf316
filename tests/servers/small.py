"""A server with the small application of tests/integration: without Django's pages, databases or Redis."""

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

from websockets.asyncio.client import connect

from servers.ports import answers, free_port
from servers.process import Process

TESTS = Path(__file__).parents[1]
SECONDS = 30
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Server(Process):
    """`options` are settings or limits, as NAME=number."""

    def __init__(self, kind: str, *options: str) -> None:
        self.kind, self.port = kind, free_port()
        command = [sys.executable, str(TESTS / "integration" / "small_app.py"), kind, str(self.port), *options]
        env = {**os.environ, "PYTHONPATH": str(TESTS.parent / "app"), "PYTHONUNBUFFERED": "1"}
        super().__init__(kind, command, lambda: answers(self.port), env=env)

    def dial(self, path: str = "/ws/echo/", **options: object) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", compression=None, max_size=None, **options)

    def get(self, path: str = "/") -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=SECONDS) as response:
            return int(response.status)

    def handshaken(self, path: str, status: bytes | None = b" 101 ") -> socket.socket:
        """A client that does nothing by itself, not even answer a ping."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(SECONDS)
        client.connect(("127.0.0.1", self.port))
        client.sendall(HANDSHAKE.format(path=path).encode())
        assert status is None or status in client.recv(2_048)
        return client

    def told(self) -> int:
        """How many applications of broken sockets know of the end."""
        return self._number("/told")

    def begun(self) -> int:
        """How many slow requests have come to the application."""
        return self._number("/begun")

    def _number(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=SECONDS) as response:
            return int(response.read())

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self) -> int:
        """Resident kB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def most_memory(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        most = 0
        while time.monotonic() < end:
            most = max(most, self.memory())
            time.sleep(0.05)
        return most

    def line(self) -> socket.socket:
        """A connection on which nothing was said yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def counted(self, metric: str) -> float:
        """A number of the process's own; 0 where it has none yet."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=SECONDS) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric + " ")), 0.0)


def until_it_ends(client: socket.socket) -> bytes:
    """All that the server says before it ends the connection. Raises TimeoutError where it does not."""
    said = b""
    while data := client.recv(65_536):
        said += data
    return said


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame; the mask of zeros changes nothing."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def takes_less_than(client: socket.socket, times: int, data: bytes) -> bool:
    """Whether the server stops reading for a second before it has read the data so many times."""
    client.settimeout(1)
    try:
        for _ in range(times):
            client.sendall(data)
    except TimeoutError:
        return True
    return False

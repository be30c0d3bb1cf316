"""The container's health check, run as the container runs it, against servers that say one thing."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[3] / "app/realtime/check.py"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
Says = Callable[..., int]


@pytest.fixture
def server() -> Iterator[Says]:
    """Starts a server that answers every connection with these pieces, then closes or stays; its port."""
    listeners, kept = [], []

    def says(*pieces: bytes, stays: bool = False) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer() -> None:
            connection, _ = listener.accept()
            requests.append(connection.recv(4096))
            for piece in pieces:
                connection.sendall(piece)
            if stays:
                kept.append(connection)
            else:
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        return int(listener.getsockname()[1])

    requests: list[bytes] = []
    says.requests = requests  # type: ignore[attr-defined]
    yield says
    for open_socket in (*listeners, *kept):
        open_socket.close()


def check(role: str, port: int) -> tuple[int, str]:
    command = [sys.executable, "-I", "-S", str(CHECK), role]
    done = subprocess.run(command, env={"PORT": str(port)}, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_web_is_healthy_when_it_answers_200(server: Says) -> None:
    assert check("web", server(b"HTTP/1.1 200 OK\r\n\r\n")) == (0, "")
    assert server.requests[0].startswith(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n")  # type: ignore[attr-defined]


def test_ws_is_healthy_when_it_shakes_hands_and_says_goodbye_even_in_pieces(server: Says) -> None:
    assert check("ws", server(UPGRADED, b"\x88\x02\x03", b"\xe8", stays=True)) == (0, "")
    assert b"\r\nUpgrade: websocket\r\n" in server.requests[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 503 Unavailable\r\n\r\n", b""])
@pytest.mark.parametrize("role", ["web", "ws"])
def test_another_answer_is_unhealthy_and_shown(server: Says, role: str, answer: bytes) -> None:
    status, said = check(role, server(answer))
    assert status == 1
    assert (answer[:12].decode() or "no answer") in said


def test_a_handshake_without_its_close_is_unhealthy(server: Says) -> None:
    assert check("ws", server(UPGRADED))[0] == 1
    assert check("ws", server(UPGRADED, b"\x88\x02\x03\xf3"))[0] == 1


def test_a_server_that_hangs_is_unhealthy_before_the_engine_gives_up(server: Says) -> None:
    assert check("ws", server(stays=True)) == (1, "ws: b'no answer'\n")


def test_nobody_listening_is_unhealthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    status, said = check("web", port)
    assert status == 1
    assert "refused" in said


def test_it_imports_no_more_than_it_needs() -> None:
    command = [sys.executable, "-I", "-S", "-X", "importtime", str(CHECK), "web"]
    imported = subprocess.run(command, env={"PORT": "1"}, capture_output=True, text=True, timeout=60).stderr
    assert "socket" in imported
    assert not {"django", "asyncio", "http", "urllib", "ssl", "re", "typing"} & set(imported.split())

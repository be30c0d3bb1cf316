"""gunicorn's threads are not given away to requests that never come as a whole."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from servers.app import Image
from servers.postgres import Postgres
from servers.stack import Stack

SECONDS = 2
THREADS = 2 * 4  # of two workers
HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n"
HALVES = {
    "half a request line": b"GET /acc",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nx=",
}


@pytest.fixture(scope="module")
def stack(postgres: Postgres) -> Iterator[Stack]:
    image = Image()
    limits = image.app / "realtime" / "limits.py"
    text, found = re.subn(r"(?m)^REQUEST_SECONDS = \d+", f"REQUEST_SECONDS = {SECONDS}", limits.read_text())
    assert found == 1
    limits.write_text(text)
    with Stack(image, postgres, ["uvicorn"]) as running:
        yield running


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_as_many_halves_as_threads_keep_nobody_out(stack: Stack, half: bytes) -> None:
    with ExitStack() as lines:
        for _ in range(2 * THREADS):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", stack.web.port)))
            line.sendall(half)
        deadline = time.monotonic() + 10 * SECONDS
        while stack.web.health("live") != 200:
            assert time.monotonic() < deadline


def test_drips_do_not_move_the_deadline(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.web.port)) as line:
        line.settimeout(0.1)
        line.sendall(HEAD + b"X: ")
        deadline = time.monotonic() + 10 * SECONDS
        while not has_ended(line):
            assert time.monotonic() < deadline


def has_ended(line: socket.socket) -> bool:
    try:
        line.sendall(b"x")
        return not line.recv(4_096)
    except TimeoutError:
        return False
    except OSError:
        return True

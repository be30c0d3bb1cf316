"""Whoever vanishes with a frame and a reset in one moment is gone at once, and costs nobody else anything.

The server is stopped while they do it, so that it finds both in one look at each connection.
"""

import asyncio
import contextlib
import os
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from client import Socket, enter, new_room, room_path
from servers.app import Image, Server, environment
from servers.stack import SERVERS
from slow import text_frame

RESETS = 200
BYSTANDERS = 5
# Seconds, which these servers have for PING_SECONDS and PONG_SECONDS: in both together everybody has come in, also on a
# slow machine, before the first who answers no ping is dropped.
PING = 15
LINES = 10  # of the log, however many vanish
SECONDS = 60
AT_ONCE = 20
PINGS = b"\x89\x0c", b"\x89\x04"  # how Daphne's and uvicorn's begin, in which no text can have such bytes
NEW_FILES = 6  # that the process may open meanwhile for itself: its database's
Silent = list[tuple[str, socket.socket]]  # the room, and who is there
SAID = text_frame('{"type":"message","body":"gone"}')


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    image = Image()
    limits = image.app / "realtime" / "limits.py"
    text, found = re.subn(r"(?m)^(PING|PONG)_SECONDS = \d+", rf"\1_SECONDS = {PING}", limits.read_text())
    assert found == 2
    limits.write_text(text)
    database = tmp_path_factory.mktemp("resets") / "db.sqlite3"
    env = environment(DATABASE_URL=f"sqlite:///{database}", WS_SERVER=request.param)
    image.migrate(env)
    server = image.ws(request.param, env)
    server.start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def silent(server: Server) -> Iterator[Silent]:
    """Who came in after a crowd had vanished, and answer no ping: in the end all are waited for at once."""
    came: Silent = []
    yield came
    assert [room for room, client in came if not is_pinged_and_dropped(client)] == []
    for room, _ in came:
        asyncio.run(nobody_is_left(server, room))


@pytest.fixture
def room() -> str:
    return new_room("resets")


@pytest_asyncio.fixture
async def bystanders(server: Server, room: str) -> AsyncIterator[list[Socket]]:
    here = [await enter(server.ws_url, room) for _ in range(BYSTANDERS)]
    await until(lambda: member_count(here[0]) == BYSTANDERS, "all bystanders are members")
    yield here
    for bystander in here:
        await bystander.leave()


async def test_members_who_speak_and_reset(server: Server, room: str, bystanders: list[Socket], silent: Silent) -> None:
    before = descriptors(server)
    members = await asyncio.to_thread(crowd, member, server, room)
    await until(lambda: member_count(bystanders[0]) == BYSTANDERS + RESETS, "all members are there")
    with stopped(server):
        for each in members:
            each.sendall(SAID)
            reset(each)
    await until(lambda: member_count(bystanders[0]) == BYSTANDERS, "those who vanished are members no more")
    await nobody_else_has_noticed(server, room, bystanders, silent, before)


async def test_members_who_reset_in_a_ping(server: Server, room: str, bystanders: list[Socket], silent: Silent) -> None:
    before = descriptors(server)
    members = await asyncio.to_thread(crowd, member, server, room)
    await until(lambda: member_count(bystanders[0]) == BYSTANDERS + RESETS, "all members are there")
    with stopped(server):
        for each in members:
            each.sendall(bytes([0x89, 0x80]) + bytes(4) + SAID[: len(SAID) // 2])
            reset(each)
    await nobody_else_has_noticed(server, room, bystanders, silent, before)


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"]
)
async def test_requests_that_end_in_a_reset(
    server: Server, room: str, bystanders: list[Socket], silent: Silent, begun: bytes
) -> None:
    """Of which nothing, the first line, or everything but the body had come before."""
    before = descriptors(server)
    requests = await asyncio.to_thread(crowd, line, server)
    for each in requests:
        each.sendall(begun)
    # Those who are silent since another test may go meanwhile.
    await until(lambda: descriptors(server) >= before + RESETS - len(silent), "all requests are accepted")
    with stopped(server):
        for each in requests:
            each.sendall(b"Host: x\r\n")
            reset(each)
    await nobody_else_has_noticed(server, room, bystanders, silent, before)


async def test_handshakes_that_end_in_a_reset(
    server: Server, room: str, bystanders: list[Socket], silent: Silent
) -> None:
    before = descriptors(server)
    with stopped(server):
        for _ in range(RESETS):
            arriving = line(server)
            arriving.sendall(handshake(room))
            reset(arriving)
    await nobody_else_has_noticed(server, room, bystanders, silent, before)


async def nobody_else_has_noticed(
    server: Server, room: str, bystanders: list[Socket], silent: Silent, before: int
) -> None:
    """Descriptors, members, delivery, log, and in the end the clock by which the silent are pinged and dropped."""
    await until(lambda: descriptors(server) <= before + NEW_FILES, "the descriptors are closed")
    await until(lambda: member_count(bystanders[0]) == BYSTANDERS, "nobody is there but the bystanders")
    said = [f"still here {number}" for number in range(10)]
    for number, body in enumerate(said):
        await bystanders[number % BYSTANDERS].say(body)
    for bystander in bystanders:
        await bystander.hears(said[-1])
        assert [body for body in bystander.bodies() if body in said] == said
    silent.append((room, await asyncio.to_thread(member, server, room)))
    lines = server.output_since_mark().splitlines()
    assert len(lines) < LINES, lines[:LINES]


async def nobody_is_left(server: Server, room: str) -> None:
    async with await enter(server.ws_url, room) as last:
        await until(lambda: member_count(last) == 1, f"nobody is left in {room}")


# --- People --------------------------------------------------------------------------------------------


def crowd(enter: Callable[..., socket.socket], *arguments: object) -> list[socket.socket]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda _: enter(*arguments), range(RESETS)))


def line(server: Server) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return client


def handshake(room: str) -> bytes:
    return (
        f"GET {room_path(room)} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def member(server: Server, room: str) -> socket.socket:
    """Somebody who has read the welcome, and answers no ping."""
    client = line(server)
    client.sendall(handshake(room))
    heard = b""
    while b'"welcome"' not in heard:
        heard += client.recv(65_536)
    return client


def reset(client: socket.socket) -> None:
    client.close()  # with SO_LINGER 0: a RST behind whatever was sent


def is_pinged_and_dropped(client: socket.socket) -> bool:
    client.settimeout(2 * SECONDS)
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while more := client.recv(65_536):
            heard += more
    return any(ping in heard for ping in PINGS)


# --- What is seen from outside -------------------------------------------------------------------------


@contextlib.contextmanager
def stopped(server: Server) -> Iterator[None]:
    server.pause()
    try:
        yield
    finally:
        server.resume()


def descriptors(server: Server) -> int:
    return len(os.listdir(Path("/proc") / str(server.pid) / "fd"))


def member_count(socket: Socket) -> int:
    counts = [frame["member_count"] for frame in socket.frames if "member_count" in frame]
    return int(counts[-1])


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        await asyncio.sleep(0.05)

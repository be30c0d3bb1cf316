"""One socket that sends without end is not read, and then closed; who sits beside it does not notice."""

import contextlib
import select
import socket
import time
from collections.abc import Callable

import pytest

from servers.small import Server, masked

EMPTY_FRAGMENT = b"\x00\x80" + bytes(4)
FLOODS = {
    "pongs": masked(10, b""),
    "pings": masked(9, b""),
    "texts": masked(1, b"hello"),
    "binary": masked(2, b"hello"),
    "text that is none": masked(1, b"hello") + masked(9, b"\xff"),
}
RATE = 500
ANSWERED = {
    "pings": (FLOODS["pings"], b"\x8a\x00"),
    "texts": (FLOODS["texts"], b"\x81\x05hello"),
    "binary": (FLOODS["binary"], b"\x82\x05hello"),
}


@pytest.mark.parametrize(("frame", "answer"), ANSWERED.values(), ids=ANSWERED.keys())
def test_who_sends_too_much_is_read_no_faster_than_the_rate(
    start: Callable[..., Server], frame: bytes, answer: bytes
) -> None:
    server = start(f"FRAME_RATE={RATE}")
    with server.handshaken("/ws/echo/") as mallory:
        began, heard = time.monotonic(), b""
        mallory.setblocking(False)
        fill(mallory, frame * 20 * RATE)
        while heard.count(answer) < 3 * RATE:
            assert select.select([mallory], [], [], 30)[0]
            heard += mallory.recv(65_536)
        assert heard.count(answer) <= RATE * (2 + time.monotonic() - began) + 1


@pytest.mark.parametrize("frame", FLOODS.values(), ids=FLOODS.keys())
def test_who_goes_on_is_closed_and_told_why(start: Callable[..., Server], frame: bytes) -> None:
    server = start(f"FRAME_RATE={RATE}", "FLOOD_SECONDS=1")
    with server.handshaken("/ws/echo/") as mallory:
        assert b"\x88\x0a\x11\xb1too_fast" in said_during(mallory, frame)
    assert server.counted('realtime_goodbyes_total{reason="too_fast"}') == 1


def test_fragments_are_frames(start: Callable[..., Server]) -> None:
    server = start(f"FRAME_RATE={RATE}", "FLOOD_SECONDS=1")
    with server.handshaken("/ws/echo/") as mallory:
        mallory.sendall(b"\x01\x80" + bytes(4))
        assert b"\x88\x0a\x11\xb1too_fast" in said_during(mallory, EMPTY_FRAGMENT)


async def test_who_was_too_fast_for_a_moment_is_late_and_nothing_is_lost(start: Callable[..., Server]) -> None:
    server = start(f"FRAME_RATE={RATE}")
    async with server.dial() as alice:
        for number in range(3 * RATE):
            await alice.send(str(number))
        assert [await alice.recv() for _ in range(3 * RATE)] == [str(number) for number in range(3 * RATE)]


async def test_bob_is_answered_while_mallory_floods(start: Callable[..., Server]) -> None:
    server = start("FRAME_RATE=1000000000")  # so that each turn of the loop alone has to be fair
    with server.handshaken("/ws/echo/") as mallory:
        mallory.setblocking(False)
        async with server.dial() as bob:
            flood = FLOODS["pongs"] * 10_000
            for number in range(50):
                fill(mallory, flood)
                await bob.send(str(number))
                assert await bob.recv() == str(number)


def fill(line: socket.socket, data: bytes) -> None:
    """Sends until the line takes no more."""
    with contextlib.suppress(BlockingIOError):
        while line.send(data):
            pass


def said_during(line: socket.socket, frame: bytes) -> bytes:
    """What the server says to who sends these frames as fast as they are taken, until it closes."""
    said, rest, deadline = b"", b"", time.monotonic() + 60
    while b"too_fast" not in said:
        assert time.monotonic() < deadline
        readable, writable, _ = select.select([line], [line], [], 0.1)
        if readable:
            said = said[-100:] + line.recv(65_536)
        if writable:
            rest = rest or frame * (65_536 // len(frame) or 1)
            line.setblocking(False)
            rest = rest[line.send(rest) :]
    return said

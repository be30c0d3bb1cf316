"""How much of one socket is read in a turn of the loop, and over all turns."""

import asyncio
from typing import Any

import pytest
from django.conf import LazySettings
from websockets.frames import Frame, Opcode

from realtime.limits import BURST_SECONDS, FLOOD_SECONDS, TURN_SHARE
from realtime.servers import reading
from realtime.servers.incoming import Incoming
from realtime.servers.reading import Reading

RATE = 100
BURST = RATE * BURST_SECONDS
KIB = 1_024


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class Loop:
    """Holds what is to be done in the next turn, and later."""

    def __init__(self) -> None:
        self.soon: list[Any] = []
        self.later: list[tuple[float, Any]] = []

    def call_soon(self, callback: Any) -> asyncio.Handle:
        self.soon.append(callback)
        return asyncio.Handle(callback, (), asyncio.new_event_loop())

    def call_later(self, seconds: float, callback: Any) -> asyncio.Handle:
        self.later.append((seconds, callback))
        return asyncio.Handle(callback, (), asyncio.new_event_loop())


class Socket(Reading):
    """`read` is everything that was taken in."""

    def __init__(self) -> None:
        self.incoming = Incoming()
        self.read: list[Any] = []
        self.paused = self.deaf = False
        self.closed: tuple[int, str] | None = None

    def has_room(self) -> bool:
        return not self.deaf

    def hear(self, content: dict[str, Any], size: int) -> None:
        self.read.append(content["text"])

    def parse(self, piece: bytes) -> None:
        self.read.append(piece)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def close_unless_closing(self, code: int, reason: str) -> bool:
        was_open, self.closed = self.closed is None, (code, reason)
        return was_open


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(reading.time, "monotonic", clock.monotonic)
    return clock


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(reading.asyncio, "get_running_loop", lambda: loop)
    return loop


@pytest.fixture
def alice(clock: Clock, loop: Loop, settings: LazySettings) -> Socket:
    settings.FRAME_RATE = RATE
    return Socket()


def sent(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return bytes(Frame(opcode, data, fin).serialize(mask=True))


KINDS = {
    "texts": sent(Opcode.TEXT, b"hello"),
    "pings": sent(Opcode.PING),
    "pongs": sent(Opcode.PONG),
    "fragments": sent(Opcode.CONT, fin=False),
    "binary": sent(Opcode.BINARY, b"hello"),
    "no UTF-8": sent(Opcode.TEXT, b"\xff"),
}


@pytest.mark.parametrize("frame", KINDS.values(), ids=KINDS.keys())
def test_frames_of_every_kind_have_a_share_of_a_turn(alice: Socket, loop: Loop, frame: bytes) -> None:
    alice.take_in(frame * 10 * TURN_SHARE)
    assert len(alice.read) == TURN_SHARE
    assert alice.paused
    loop.soon.pop()()
    assert len(alice.read) == 2 * TURN_SHARE


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_big_frames_have_it_by_their_bytes(alice: Socket, loop: Loop, opcode: Opcode) -> None:
    alice.take_in(sent(opcode, bytes(40 * KIB)) * 10)
    assert len(alice.read) == 2
    assert alice.paused


def test_what_came_in_small_pieces_is_all_read(alice: Socket, loop: Loop) -> None:
    for _ in range(BURST):
        alice.take_in(KINDS["texts"])
    assert len(alice.read) == BURST
    assert not alice.paused
    assert loop.soon == loop.later == []


def test_the_application_does_not_get_more_by_asking(alice: Socket, loop: Loop) -> None:
    alice.take_in(KINDS["texts"] * 10 * TURN_SHARE)
    alice.read_on()
    assert len(alice.read) == TURN_SHARE
    assert len(loop.soon) == 1


@pytest.mark.parametrize("frame", KINDS.values(), ids=KINDS.keys())
def test_who_sends_faster_than_the_rate_is_read_at_the_rate(
    alice: Socket, loop: Loop, clock: Clock, frame: bytes
) -> None:
    alice.take_in(frame * 10 * BURST)
    while loop.soon:
        loop.soon.pop()()
    assert len(alice.read) == BURST
    for _ in range(50):
        assert alice.paused
        seconds, read_on = loop.later.pop()
        clock.now += seconds
        read_on()
        assert not loop.soon
    elapsed = clock.now - 1_000
    assert BURST + RATE * (elapsed - 1) < len(alice.read) <= BURST + RATE * elapsed


def test_who_never_stops_is_closed_in_time(alice: Socket, loop: Loop, clock: Clock) -> None:
    alice.take_in(KINDS["pongs"] * 100 * BURST)
    while alice.closed is None:
        assert clock.now < 1_000 + FLOOD_SECONDS + 1
        if loop.soon:
            loop.soon.pop()()
        else:
            seconds, read_on = loop.later.pop()
            clock.now += seconds
            read_on()
    assert alice.closed == (4529, "too_fast")
    assert clock.now > 1_000 + FLOOD_SECONDS - 1


def test_who_pauses_between_bursts_is_never_closed(alice: Socket, loop: Loop, clock: Clock) -> None:
    for _ in range(20):
        alice.take_in(KINDS["texts"] * (BURST + RATE // 10))
        while loop.soon or loop.later:
            if not loop.soon:
                clock.now += loop.later[0][0]
            (loop.soon.pop() if loop.soon else loop.later.pop()[1])()
        clock.now += BURST_SECONDS
    assert alice.closed is None
    assert len(alice.read) == 20 * (BURST + RATE // 10)


def test_a_socket_that_has_ended_reads_nothing_more(alice: Socket, loop: Loop) -> None:
    alice.take_in(KINDS["texts"] * 10 * TURN_SHARE)
    resting = alice._resting
    alice.stop_reading()
    assert resting is not None
    assert resting.cancelled()

"""Many people at once, who come back when they are told to: a deploy as they see it."""

import asyncio
import random
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from client import Frame
from ledger import Account, Member, everybody_read, settle
from servers.app import Server
from servers.stack import Stack

RESTART = 4501
ENTER_SECONDS = 60
PING_SECONDS = 20  # the longest silence of the server
LEAVE_SECONDS = 30  # as compose and Heroku give it


class Regular(Member):
    """A member who stays away for as long as a `goodbye` asks for. Moments are time.monotonic()'s."""

    def __init__(self, base: str, room: str, *, batch: bool = False) -> None:
        self.welcomed: list[float] = []
        self.goodbyes: list[tuple[float, Frame]] = []
        self.codes: list[int] = []  # with which its connections ended; 1006 without a close
        self._away = 0.0
        super().__init__(base, room, batch=batch)

    async def _live(self) -> None:
        while True:
            self._away = random.uniform(0.02, 0.3)
            try:
                await self._visit()
            except ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else 1006)
            except (OSError, InvalidHandshake, EOFError):
                pass
            await asyncio.sleep(self._away)

    def _hear(self, frame: Frame) -> None:
        super()._hear(frame)
        if frame["type"] == "welcome":
            self.welcomed.append(time.monotonic())
        elif frame["type"] == "goodbye":
            self.goodbyes.append((time.monotonic(), frame))
            self._away = frame["after_ms"] / 1000


class Patient(Regular):
    """One of so many that the machine is slow at times: it trusts its connection as long as the protocol asks."""

    async def _next(self, connection: ClientConnection) -> str | bytes:
        async with asyncio.timeout(2 * PING_SECONDS):
            return await connection.recv()


@dataclass
class Redeploy:
    """One process left and came back. All moments are seconds since its SIGTERM."""

    process: str
    sockets: int  # that it had
    exit_code: int
    told: list[float] = field(default_factory=list)  # when each goodbye was heard
    due: list[float] = field(default_factory=list)  # when each was asked to come back
    back: list[float] = field(default_factory=list)  # when each was welcomed again
    codes: set[int] = field(default_factory=set)

    def busiest(self, moments: Iterable[float], seconds: float = 0.5) -> int:
        """The most that fall into a span so long."""
        ordered = sorted(moments)
        return max((sum(start <= one < start + seconds for one in ordered) for start in ordered), default=0)

    def __str__(self) -> str:
        return (
            f"{self.process}: {len(self.told)} of {self.sockets} sockets told goodbye within"
            f" {max(self.told, default=0):.1f} s, all back after {max(self.back, default=0):.1f} s,"
            f" at most {2 * self.busiest(self.back)} a second"
        )


async def enter(bases: list[str], rooms: list[str], count: int, kind: type[Regular] = Regular) -> list[Regular]:
    """So many regulars, in turn by each base and then in the next room; all of them are in when it returns."""
    crowd = []
    for number in range(count):
        base, room = bases[number % len(bases)], rooms[number // len(bases) % len(rooms)]
        crowd.append(kind(base, room, batch=number % 3 == 0))
        if number % 20 == 0:
            await asyncio.sleep(0.05)
    await until(lambda: all(one.welcomed for one in crowd), ENTER_SECONDS)
    return crowd


async def redeploy(crowd: list[Regular], process: Server) -> Redeploy:
    """SIGTERM, wait for its end, start it again; returns when everybody who was on it is back elsewhere."""
    before = {one: (len(one.welcomed), len(one.goodbyes), len(one.codes)) for one in crowd}
    sockets, began = process.connections(), time.monotonic()
    process.signal(signal.SIGTERM)
    exit_code = await asyncio.to_thread(process.wait_end, LEAVE_SECONDS)
    result = Redeploy(process.name, sockets, exit_code)
    await asyncio.to_thread(process.start)
    left = [one for one in crowd if len(one.goodbyes) > before[one][1] or len(one.codes) > before[one][2]]
    with suppress(TimeoutError):
        await until(lambda: all(len(one.welcomed) > before[one][0] for one in left), ENTER_SECONDS)
    for one in left:
        welcomed, goodbyes, codes = before[one]
        result.codes |= set(one.codes[codes:])
        result.told += [moment - began for moment, _ in one.goodbyes[goodbyes:]]
        result.due += [moment - began + frame["after_ms"] / 1000 for moment, frame in one.goodbyes[goodbyes:]]
        result.back += [moment - began for moment in one.welcomed[welcomed:][:1]]
    return result


async def settled(stack: Stack, crowd: list[Regular]) -> Account:
    """The accounts of all rooms and topics in one, once everybody has read everything."""
    rooms = sorted({one.room for one in crowd})
    total = Account(*(0,) * 6, wrong=[], dials=0)
    for room in rooms:
        here = [one for one in crowd if one.room == room]
        await everybody_read(here, max((seq for one in here for seq in one.acked.values()), default=0))
        one = settle(here, await asyncio.to_thread(log_of, stack, room))
        for name, value in vars(one).items():
            setattr(total, name, getattr(total, name) + value)
    return total


def log_of(stack: Stack, room: str) -> list[tuple[int, str, str]]:
    """A topic's name has a slash, a room's has none."""
    return stack.database.events(room) if "/" in room else stack.database.messages(room)


async def chat(over: asyncio.Event, speakers: list[Regular], per_second: float) -> None:
    """Each says something so often until it is over; returns when all of it is acknowledged."""

    async def speak(speaker: Regular) -> None:
        while not over.is_set():
            await speaker.say("still here")
            await asyncio.sleep(random.uniform(0, 2 / per_second))

    await asyncio.gather(*map(speak, speakers))


async def until(done: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.05)

"""The sockets of one contender, in rooms, and what they are made to do."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable

from bench.load.account import Account, Known
from bench.load.sockets import Socket, dial, said
from bench.load.talk import Talk

DIALS = 64  # at a time
GOODBYE_SECONDS = 5

_numbers = itertools.count(1)  # never used twice: what comes late from an earlier run is foreign to a later one


class Crowd:
    """`places` are names of rooms: the first socket takes the first place, and after the last comes the first again."""

    def __init__(self, talk: Talk, places: list[str]) -> None:
        self.talk, self.places = talk, places
        self.room_of = {name: room for room, name in enumerate(dict.fromkeys(places))}
        self.sockets: list[Socket] = []
        self.known = Known()
        self.account = Account(talk.order)

    async def grow(self, size: int) -> float:
        """Connects until there are so many; the seconds that it took."""
        began = time.perf_counter()
        turn = asyncio.Semaphore(DIALS)
        places = range(len(self.sockets), size)
        self.sockets += await asyncio.gather(*(self._dial(place, turn) for place in places))
        return time.perf_counter() - began

    async def shrink(self, size: int) -> None:
        """The last ones leave until there are so many."""
        leaving, self.sockets = self.sockets[size:], self.sockets[:size]
        for socket in leaving:
            socket.leave()
        if leaving:
            await asyncio.wait([socket.gone for socket in leaving], timeout=GOODBYE_SECONDS)
        for socket in leaving:
            socket.transport.disconnect(graceful=False)

    def begin(self, stamped: bool = False) -> None:
        """A new account of what is said and heard. Raises ConnectionError where somebody has gone."""
        if gone := sum(socket.gone.done() for socket in self.sockets):
            raise ConnectionError(f"{gone} of {len(self.sockets)} sockets were closed by the server")
        self.account = Account(self.talk.order)
        self.known.clear()
        for socket in self.sockets:
            socket.renew(stamped)

    def say(self, sender: Socket, index: int) -> int:
        """The number of the message."""
        number = next(_numbers)
        self.account.said(number, sender.room, index)
        sender.send(said(sender.words, number))
        return number

    def lengths(self) -> list[int]:
        return [len(socket.heard) for socket in self.sockets]

    def expected(self) -> int:
        """How many deliveries everything said so far makes."""
        members = Counter(socket.room for socket in self.sockets)
        return sum(len(numbers) * members[room] for room, numbers in self.account.said_in.items())

    def delivered(self) -> int:
        return sum(count(socket.heard) for socket in self.sockets)

    async def hear_out(self, seconds: float) -> str:
        """Waits until everything said has arrived; what is wrong with it, or nothing."""
        deadline = time.perf_counter() + seconds
        expected, lengths = self.expected(), self.lengths()
        while self.delivered() < expected and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
            if (now := self.lengths()) != lengths:
                lengths, deadline = now, time.perf_counter() + seconds
        await asyncio.sleep(0.05)  # for one that comes twice
        return self.account.fault((socket.room, socket.heard) for socket in self.sockets)

    async def _dial(self, place: int, turn: asyncio.Semaphore) -> Socket:
        name = self.places[place % len(self.places)]
        async with turn:
            return await dial(self.talk, self.room_of[name], name, self.known)


def count(frames: Iterable[tuple[int, ...]]) -> int:
    return sum(map(len, frames))

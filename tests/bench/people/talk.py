"""People who talk: as fast as they are acknowledged, or at a fixed rate whatever happens."""

import asyncio
import secrets
import time
from collections.abc import Sequence

from bench.people.person import Person

BODY = "x" * 80
PATIENCE = 30.0  # seconds for what is under way to arrive
TURN_SECONDS = 0.001  # between two looks at the clock, at a fixed rate


class Talk:
    """`ack_seconds` and `deliver_seconds` are how long each took from when it was said, or had to be said."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people
        self.acked: dict[str, int] = {}
        self.ack_seconds: list[float] = []
        self.deliver_seconds: list[float] = []
        self._name = secrets.token_hex(8)
        self._said: dict[str, float] = {}
        self._rooms: dict[str, str] = {}
        self._over = False
        for person in people:
            person.on_ack = self._hear_ack
            person.on_message = self._hear

    @property
    def under_way(self) -> int:
        return len(self._said) - len(self.acked)

    @property
    def said(self) -> dict[str, str]:
        """The room of each id."""
        return self._rooms

    def begin(self, writers: Sequence[Person], in_flight: int) -> None:
        """Each writer has so many messages under way, and says the next one at each ack, until `end`."""
        for writer in writers:
            for _ in range(in_flight):
                self._say(writer, time.perf_counter())

    async def end(self) -> None:
        """Returns when nothing is under way. TimeoutError when something is for too long."""
        self._over = True
        await until(lambda: not self.under_way)

    async def at_rate(self, writers: Sequence[Person], per_second: float, seconds: float) -> None:
        """In turn, each at its moment: who is late, waited since then. Returns when nothing is under way."""
        self._over = True
        began, number = time.perf_counter(), 0
        while (now := time.perf_counter() - began) < seconds:
            while number < now * per_second:
                self._say(writers[number % len(writers)], began + number / per_second)
                number += 1
            await asyncio.sleep(TURN_SECONDS)
        await self.end()

    def forget_times(self) -> None:
        """What was said so far was to warm up."""
        self.ack_seconds.clear()
        self.deliver_seconds.clear()

    def _say(self, writer: Person, moment: float) -> None:
        id = f"{self._name}-{len(self._said)}"
        self._said[id] = moment
        self._rooms[id] = writer.room
        writer.say(id, BODY)

    def _hear_ack(self, writer: Person, id: str, seq: int) -> None:
        now = time.perf_counter()
        if id in self.acked:
            writer.wrong.append(f"{id} acknowledged twice")
        self.acked[id] = seq
        self.ack_seconds.append(now - self._said[id])
        if not self._over:
            self._say(writer, now)

    def _hear(self, id: str) -> None:
        self.deliver_seconds.append(time.perf_counter() - self._said[id])


async def until(done: object, seconds: float = PATIENCE) -> None:
    assert callable(done)
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.02)

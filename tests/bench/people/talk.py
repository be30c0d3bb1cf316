"""People who talk: as fast as they are acknowledged, or at a fixed rate whatever happens."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.people.person import Person

BODY = "x" * 80
PATIENCE = 30.0  # seconds for what is under way to arrive
TURN_SECONDS = 0.001  # between two looks at the clock, at a fixed rate


class Talk:
    """`ack_seconds` and `deliver_seconds` are how long each took from when it was said, or had to be said.

    `late_seconds` is how much later it was said than it had to be, which is in both.
    `said` has the room of each id, `acked` the number.
    """

    def __init__(self, people: Sequence["Person"]) -> None:
        self.said: dict[str, str] = {}
        self.acked: dict[str, int] = {}
        self.ack_seconds: list[float] = []
        self.deliver_seconds: list[float] = []
        self.late_seconds: list[float] = []
        self._name = secrets.token_hex(8)
        self._moments: dict[str, float] = {}
        self._authors: dict[str, Person] = {}
        self._halfway: set[str] = set()  # acknowledged or heard by its author, and not both
        self._again = False
        self._pacer: asyncio.Task[None] | None = None
        for person in people:
            person.on_ack = self._hear_ack
            person.on_message = self._hear

    @property
    def under_way(self) -> int:
        return len(self.said) - len(self.acked)

    def begin(self, writers: Sequence["Person"], in_flight: int) -> None:
        """Each writer has so many under way, and says the next one when one is acknowledged and heard by its author.

        Acks alone would let a server run up a debt of deliveries that it pays when nobody measures any more.
        """
        self._again = True
        for writer in writers:
            for _ in range(in_flight):
                self._say(writer, time.perf_counter())

    def begin_at_rate(self, writers: Sequence["Person"], per_second: float) -> None:
        """In turn, each at its moment: who is late has waited since then."""
        self._pacer = asyncio.create_task(self._pace(writers, per_second))

    async def end(self) -> None:
        """Nothing new is said; returns when nothing is under way. TimeoutError when something is for too long."""
        self._again = False
        if self._pacer:
            self._pacer.cancel()
        await until(lambda: not self.under_way)

    def forget_times(self) -> None:
        """What was said so far was to warm up."""
        self.ack_seconds.clear()
        self.deliver_seconds.clear()
        self.late_seconds.clear()

    async def _pace(self, writers: Sequence["Person"], per_second: float) -> None:
        began, number = time.perf_counter(), 0
        while True:
            while number < (time.perf_counter() - began) * per_second:
                moment = began + number / per_second
                self.late_seconds.append(time.perf_counter() - moment)
                self._say(writers[number % len(writers)], moment)
                number += 1
            await asyncio.sleep(TURN_SECONDS)

    def _say(self, writer: "Person", moment: float) -> None:
        id = f"{self._name}-{len(self.said)}"
        self.said[id] = writer.room
        self._moments[id] = moment
        self._authors[id] = writer
        writer.say(id, BODY)

    def _hear_ack(self, writer: "Person", id: str, seq: int) -> None:
        now = time.perf_counter()
        if id in self.acked:
            writer.wrong.append(f"{id} acknowledged twice")
        self.acked[id] = seq
        self.ack_seconds.append(now - self._moments[id])
        self._half(id, now)

    def _hear(self, person: "Person", id: str) -> None:
        now = time.perf_counter()
        self.deliver_seconds.append(now - self._moments[id])
        if self._authors[id] is person:
            self._half(id, now)

    def _half(self, id: str, now: float) -> None:
        if id not in self._halfway:
            self._halfway.add(id)
            return
        self._halfway.remove(id)
        if self._again:
            self._say(self._authors[id], now)


async def until(done: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.02)

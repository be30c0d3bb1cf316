"""Who visits a contender: with a crowd, and a notebook."""

import asyncio
import time
from dataclasses import dataclass

from bench import usage
from bench.frame import Bench, Serving
from bench.load.driver import Failed, Load
from bench.notes import Notes
from bench.result import Parameters, Values

QUIET_SHARE = 0.1  # of a core: a server that uses less has done with those who came and went
LOOK_SECONDS, MOST_SECONDS = 0.1, 20
WARM_UP_SECONDS, SECONDS, QUICK_SECONDS = 0.2, 0.8, 0.4  # of one measurement


@dataclass
class Visitor:
    bench: Bench
    serving: Serving
    load: Load
    notes: Notes
    size: int = 0
    capacity: float = 0.0  # deliveries a second to a room of 200, once known

    @property
    def name(self) -> str:
        return self.serving.contender.name

    def note(self, scenario: str, parameters: Parameters, values: Values | str) -> None:
        self.notes.add(scenario, self.name, parameters, values)
        self.bench.say(f"  {scenario} {shown(parameters)}: {values if isinstance(values, str) else shown(values)}")

    async def meet(self, places: list[str]) -> None:
        """From here on the crowd is a new one, which is to sit there."""
        await self.load.meet(self.serving.talk, places)
        self.size = 0

    async def resize(self, size: int) -> None:
        """So many sockets are there, and quiet. Raises Failed."""
        if size > self.size:
            await self.load.grow(size)
        elif size < self.size:
            await self.load.shrink(size)
        self.size = size
        await self.quiet()

    async def quiet(self) -> None:
        """Returns when the server has had nothing to do for a while."""
        quiet, deadline = 0, time.monotonic() + MOST_SECONDS
        while quiet < 2 and time.monotonic() < deadline:
            began, before = time.monotonic(), usage.cpu_seconds(self.serving.pids)
            await asyncio.sleep(LOOK_SECONDS)
            used = (usage.cpu_seconds(self.serving.pids) - before) / (time.monotonic() - began)
            quiet = quiet + 1 if used < QUIET_SHARE else 0

    async def flood(self, warm_seconds: float = WARM_UP_SECONDS, **how: float) -> Values | str:
        """Values, or why there are none."""
        seconds = QUICK_SECONDS if self.bench.quick else SECONDS
        try:
            return await self.load.flood(self.serving.pids, warm_seconds=warm_seconds, seconds=seconds, **how)
        except Failed as failed:
            return str(failed)


def shown(numbers: Parameters | Values) -> str:
    return " ".join(f"{name}={one(value)}" for name, value in numbers.items())


def one(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

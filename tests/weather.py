"""Bad networks: everybody's own line is cut again and again, and is gone for a while each time."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from servers.line import Line


class Weather(NamedTuple):
    """Seconds. What lies between two cuts is random, half as much again at most."""

    every: float
    offline: float
    lasts: float


@asynccontextmanager
async def lines(port: int, count: int) -> AsyncIterator[list[Line]]:
    """So many lines to that port of loopback, which fail independently."""
    async with AsyncExitStack() as open_lines:
        yield [await open_lines.enter_async_context(Line(port)) for _ in range(count)]


async def trouble(found: list[Line], weather: Weather, chance: random.Random) -> int:
    """Lets every line fail while the weather lasts. How many times they were cut; all are up at the end."""
    return sum(await asyncio.gather(*(fail(line, weather, random.Random(chance.random())) for line in found)))


async def fail(line: Line, weather: Weather, chance: random.Random) -> int:
    loop = asyncio.get_running_loop()
    end, cuts = loop.time() + weather.lasts, 0
    await asyncio.sleep(chance.uniform(0, weather.every))
    while loop.time() < end:
        line.down()
        cuts += 1
        await asyncio.sleep(weather.offline)
        line.up()
        await asyncio.sleep(weather.every * chance.uniform(0.5, 1.5))
    return cuts

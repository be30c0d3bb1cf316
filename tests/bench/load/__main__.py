"""The load's process: one line of JSON in, one line of JSON out. `Load` in load/driver.py is its other end."""

import asyncio
import gc
import json
import sys
from typing import Any

import uvloop

from bench import usage
from bench.load.crowd import Crowd
from bench.load.flood import flood
from bench.load.paced import lone, paced
from bench.load.talk import Talk


class Orders:
    """Each public method is one; what it returns is the answer."""

    crowd: Crowd

    async def meet(self, talk: dict[str, Any], places: list[str]) -> None:
        self.crowd = Crowd(Talk(**talk), places)

    async def grow(self, size: int) -> float:
        return await self.crowd.grow(size)

    async def shrink(self, size: int) -> None:
        await self.crowd.shrink(size)

    async def flood(self, **how: Any) -> dict[str, float | str]:
        return await flood(self.crowd, **how)

    async def paced(self, **how: Any) -> dict[str, float | str]:
        return await paced(self.crowd, **how)

    async def lone(self, **how: Any) -> dict[str, float | str]:
        return await lone(self.crowd, **how)


async def main() -> None:
    orders, loop = Orders(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order, how = json.loads(line)
        try:
            answer = {"is": await getattr(orders, order)(**how)}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        gc.collect()  # between measurements, for there is none within
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    gc.disable()
    usage.allow_many_files()
    uvloop.run(main())

"""The load's process as the scenarios see it."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import usage
from bench.load.talk import Talk

TESTS = Path(__file__).parents[2]


class Failed(Exception):
    """The load could not do what it was asked to; in words for the table."""


class Load:
    """`async with Load(core) as load:` starts it on that core, and ends it."""

    def __init__(self, core: int) -> None:
        self.core = core

    async def __aenter__(self) -> Self:
        with usage.on_core(self.core):
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.load"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                limit=2**24,
                start_new_session=True,
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def meet(self, talk: Talk, places: list[str]) -> None:
        """From here on the crowd is an empty one, which talks like that and sits in these rooms."""
        await self._order("meet", talk=asdict(talk), places=places)

    async def grow(self, size: int) -> float:
        """Connects until there are so many sockets; the seconds that it took."""
        return float(await self._order("grow", size=size))

    async def shrink(self, size: int) -> None:
        await self._order("shrink", size=size)

    async def flood(self, pids: list[int], **how: Any) -> dict[str, float] | str:
        return _values(await self._order("flood", pids=pids, **how))

    async def paced(self, pids: list[int], **how: Any) -> dict[str, float] | str:
        return _values(await self._order("paced", pids=pids, **how))

    async def lone(self, **how: Any) -> dict[str, float] | str:
        return _values(await self._order("lone", **how))

    async def _order(self, order: str, **how: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([order, how]).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load's process has ended; what it said stands above")
        answer = json.loads(line)
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer["is"]


def _values(answer: dict[str, Any]) -> dict[str, float] | str:
    """The numbers, or the reason for which there are none."""
    return str(answer["refused"]) if "refused" in answer else answer

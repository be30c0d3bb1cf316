"""What every scenario gets: how often, how long, on which core."""

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from bench.result import Result


@dataclass(frozen=True)
class Bench:
    """`runs` per measurement, of which the medians are reported; `quick` is for developing: short, and worth little.

    `server_core` is for the process under test alone; its peers (Redis, Postgres) and the load are on `load_core`.
    """

    runs: int = 3
    quick: bool = False
    server_core: int = 0
    load_core: int = 1
    contenders: frozenset[str] = frozenset()  # names to run; empty means all

    def wants(self, contender: str) -> bool:
        return not self.contenders or contender in self.contenders


Scenario = Callable[[Bench], AsyncIterator[Result]]


def pin(pid: int, core: int) -> None:
    """The process and all its threads, and what it starts from here on, on one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {core})

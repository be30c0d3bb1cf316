"""What every scenario gets: how often, how long, on which core, and who is to be measured."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from bench import usage
from bench.contenders.contender import Contender
from bench.load.talk import Talk
from bench.surroundings import Surroundings
from servers.process import Process


@dataclass
class Bench:
    """`runs` per measurement, of which the medians are reported; `quick` is for developing: short, and worth little.

    `server_core` is for the process under test alone; its peers (Redis, Postgres) and the load are on `load_core`.
    """

    runs: int = 3
    quick: bool = False
    server_core: int = 0
    load_core: int = 1
    only: frozenset[str] = frozenset()  # scenarios; empty means all
    contenders: frozenset[str] = frozenset()  # beginnings of their names; empty means all
    failures: list[str] = field(default_factory=list)  # what could not be measured at all, and why
    surroundings: Surroundings = field(init=False)

    def __post_init__(self) -> None:
        self.surroundings = Surroundings(self.load_core)

    def asks(self, scenario: str) -> bool:
        return not self.only or scenario in self.only

    def wants(self, contender: str) -> bool:
        return not self.contenders or contender.startswith(tuple(self.contenders))

    def say(self, sentence: str) -> None:
        """Progress, for whoever waits."""
        print(sentence, file=sys.stderr, flush=True)

    @contextmanager
    def serving(self, contender: Contender) -> Iterator["Serving"]:
        """Its server, started on the server's core; ended at the end, whatever happens."""
        process = contender.process(self.surroundings)
        try:
            with usage.on_core(self.server_core):
                process.start()
            yield Serving(contender, process)
        finally:
            process.kill()


@dataclass
class Serving:
    """A contender while it serves."""

    contender: Contender
    process: Process

    @cached_property
    def pids(self) -> list[int]:
        return usage.tree(self.process.pid)

    @property
    def talk(self) -> Talk:
        return self.contender.talk(self.process)

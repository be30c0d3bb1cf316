"""What contenders lean on: Redis, Postgres and the application's files, each started when the first one asks."""

import secrets
from functools import cached_property
from typing import TypeVar

from bench import usage
from servers.app import Image
from servers.postgres import Postgres
from servers.process import Process
from servers.redis import Redis

P = TypeVar("P", bound=Process)


class Surroundings:
    """They run on one core with the load, so that the process under test has the other for itself."""

    def __init__(self, core: int) -> None:
        self.core = core
        self._running: list[Process] = []

    @cached_property
    def redis(self) -> Redis:
        return self._started(Redis())

    @cached_property
    def postgres(self) -> Postgres:
        return self._started(Postgres())

    @cached_property
    def image(self) -> Image:
        return Image()

    def new_database(self) -> str:
        """The URL of an empty one."""
        return self.postgres.create_database(f"bench-{secrets.token_hex(4)}")

    def redis_kb(self) -> float:
        """What Redis holds."""
        return int(self.redis.ask("INFO memory").split("used_memory:")[1].split()[0]) / 1024

    def stop(self) -> None:
        for process in self._running:
            process.stop()

    def _started(self, process: P) -> P:
        with usage.on_core(self.core):
            process.start()
        self._running.append(process)
        return process

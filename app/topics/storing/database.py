"""Database work away from the event loop, in few threads of its own.

Django's `sync_to_async` has one thread for the whole process: one slow query would stall every socket.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar
from weakref import WeakSet

from django.db import connections

from realtime import registry
from topics.conf import settings

P = ParamSpec("P")
R = TypeVar("R")


class Threads(NamedTuple):
    """So many threads of each event loop's own."""

    name: str
    most: int


readers: Final = Threads("log-reader", 4)
writer: Final = Threads("log-writer", 1)


async def run(threads: Threads, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What work returns, from one of the threads."""
    executor = registry.here().get(threads, lambda: Executor(threads)).executor
    context = copy_context()  # in which the log has the id of whom it is done for
    call = asyncio.get_running_loop().run_in_executor
    return await call(executor, lambda: context.run(lambda: released(work, *args, **kwargs)))


class Executor:
    """A loop's threads."""

    def __init__(self, threads: Threads) -> None:
        self.executor = ThreadPoolExecutor(threads.most, thread_name_prefix=threads.name)

    async def finish(self) -> None:
        """Whoever waits for work of theirs finishes."""

    async def close(self) -> None:
        """They end as soon as they have done what they are at: nobody waits for a database that hangs."""
        self.executor.shutdown(wait=False, cancel_futures=True)


def released(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Gives the connections back afterwards: to their pools, or closes them."""
    try:
        return work(*args, **kwargs)
    finally:
        connections.close_all()


_prepared: WeakSet[Any] = WeakSet()


def prepare(*, connection: Any, **kwargs: object) -> None:
    """Called for each connection that Django opens or takes from the pool: sets what it needs, once.

    A server that is stricter than synchronous_commit=on stays so.
    """
    wanted = settings.DATABASE_SESSION
    if connection.vendor != "postgresql" or not wanted or connection.connection in _prepared:
        return
    columns = ", ".join(SETS.get(name, "set_config(%s, %s, false)") for name in wanted)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [word for pair in wanted.items() for word in pair])
    _prepared.add(connection.connection)


SETS: Final = {
    "synchronous_commit": "set_config(%s, CASE current_setting('synchronous_commit') WHEN 'off' THEN %s "
    "ELSE current_setting('synchronous_commit') END, false)"
}

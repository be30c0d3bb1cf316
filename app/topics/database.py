"""Database work away from the event loop, in few threads of its own.

Django's `sync_to_async` has one thread for the whole process: one slow query would stall every socket.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar
from weakref import WeakSet

from django.conf import settings
from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")

READERS: Final = 4
readers = ThreadPoolExecutor(READERS, thread_name_prefix="log-reader")
writer = ThreadPoolExecutor(1, thread_name_prefix="log-writer")


async def run(executor: ThreadPoolExecutor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What work returns, from one of the executor's threads."""
    return await asyncio.get_running_loop().run_in_executor(executor, lambda: released(work, *args, **kwargs))


def released(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Gives the connection back afterwards: to the pool, or closes it."""
    try:
        return work(*args, **kwargs)
    finally:
        connection.close()


_prepared: WeakSet[Any] = WeakSet()


def prepare(*, connection: Any, **kwargs: object) -> None:
    """Called for each connection that Django opens or takes from the pool: sets what it needs, once.

    A server that is stricter than synchronous_commit=on stays so.
    """
    wanted = settings.DATABASE_SESSION
    if not wanted or connection.connection in _prepared:
        return
    columns = ", ".join(SETS.get(name, "set_config(%s, %s, false)") for name in wanted)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [word for pair in wanted.items() for word in pair])
    _prepared.add(connection.connection)


SETS: Final = {
    "synchronous_commit": "set_config(%s, CASE current_setting('synchronous_commit') WHEN 'off' THEN %s "
    "ELSE current_setting('synchronous_commit') END, false)"
}

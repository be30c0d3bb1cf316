"""Database work away from the event loop, in few threads of its own.

Django's `sync_to_async` has one thread for the whole process: one slow query would stall every socket.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

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

"""The last moments of a server: whoever has come is answered, and nobody else is taken in."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from realtime.servers.acceptor import Acceptor
from realtime.servers.unfinished import unfinished

STEP_SECONDS: Final = 0.05  # enough for close frames to be written


async def leave(
    acceptors: list[Acceptor],
    connections: Collection[Any],
    tell: Callable[[Any], None],
    give_up: Callable[[Any, Exception], None],
    seconds: float,
) -> None:
    """Returns when all connections have ended, or the seconds are over.

    Those that wait in the kernel's queue are taken in first: it forgets them where nobody listens any more. `tell` is
    called once with each connection, but not before its request has come. Where that raises, `give_up` is called.
    """
    told: set[Any] = set()
    deadline = time.monotonic() + seconds
    while True:
        acceptors[:] = [each for each in acceptors if not each.finish()]
        for connection in [each for each in connections if each not in told and not unfinished.asks(each)]:
            told.add(connection)
            try:
                tell(connection)
            except Exception as error:
                give_up(connection, error)
        await asyncio.sleep(STEP_SECONDS)
        if time.monotonic() >= deadline or not (acceptors or connections or unfinished.asked()):
            return

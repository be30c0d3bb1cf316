"""How a process that must leave says goodbye to its sockets.

Every live socket is a member of `sockets`. `drain` tells each of them to close, spread over the window so
that those who return do not come all at once, and waits until they are gone.
"""

import asyncio
import logging
import random
from typing import Protocol

from realtime import metrics, registry
from realtime.closing import RESTART, Goodbye
from realtime.failures import contained
from realtime.limits import CLOSES_PER_SECOND, RETURNS_PER_SECOND

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.05
SPREAD_SHARE = 0.7  # of the window; the rest is for the last goodbyes to be read


class Closable(Protocol):
    """`close_with` says goodbye and closes. It returns at once and may be called more than once."""

    def close_with(self, goodbye: Goodbye, /) -> None: ...


sockets: set[Closable] = set()
_draining = False


def draining() -> bool:
    return _draining


async def drain(seconds: float, after_ms: int | None = None) -> None:
    """Closes every socket, those that come meanwhile too. Returns when all are gone or the seconds are over.

    Clients are told to stay away for a random time up to `after_ms`; without it, the longer the more there are.
    """
    begin()
    spread = min(seconds * SPREAD_SHARE, len(sockets) / CLOSES_PER_SECOND)
    if after_ms is None:
        after_ms = round(1000 * max(1.0, len(sockets) / RETURNS_PER_SECOND - spread))
    began = asyncio.get_running_loop().time()
    told: set[Closable] = set()
    total = len(sockets)
    metrics.to_drain.set(total)
    while sockets and (elapsed := asyncio.get_running_loop().time() - began) < seconds:
        share = min(1.0, elapsed / spread) if spread else 1.0
        waiting = [socket for socket in sockets if socket not in told]
        due = len(waiting) - round(total * (1 - share))
        for socket in waiting[: max(0, due)]:
            told.add(socket)
            _say_goodbye(socket, after_ms)
        await asyncio.sleep(STEP_SECONDS)
    await registry.here().finish()


def begin() -> None:
    """From now on the process is not ready and takes nobody in."""
    global _draining
    _draining = True


def _say_goodbye(socket: Closable, after_ms: int) -> None:
    with contained("a goodbye"):
        socket.close_with(RESTART._replace(after_ms=random.randint(0, after_ms)))


metrics.sockets.set_function(lambda: len(sockets))
metrics.draining.set_function(lambda: float(_draining))

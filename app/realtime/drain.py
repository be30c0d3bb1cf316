"""How a process that must leave says goodbye to its sockets.

Every live socket is a member of `sockets`. `drain` tells each of them to close, spread over the window so
that those who return do not come all at once, and waits until they are gone.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from realtime import metrics
from realtime.closing import RESTART, Goodbye
from realtime.failures import contained
from realtime.limits import CLOSES_PER_SECOND, FLUSH_SECONDS, RETURNS_PER_SECOND

logger = logging.getLogger(__name__)

STEP_SECONDS = 0.05
SPREAD_SHARE = 0.7  # of the window; the rest is for the last goodbyes to be read


class Closable(Protocol):
    """`close_with` says goodbye and closes. It returns at once and may be called more than once."""

    def close_with(self, goodbye: Goodbye, /) -> None: ...


sockets: set[Closable] = set()
_callbacks: list[Callable[[], Awaitable[None]]] = []
_draining = False


def draining() -> bool:
    return _draining


def at_drain(callback: Callable[[], Awaitable[None]]) -> None:
    """Has the callback awaited once the sockets are gone: to store what was accepted."""
    _callbacks.append(callback)


async def drain(seconds: float) -> None:
    """Closes every socket, those that come meanwhile too. Returns when all are gone or the seconds are over."""
    begin()
    spread = min(seconds * SPREAD_SHARE, len(sockets) / CLOSES_PER_SECOND)
    after_ms = round(1000 * max(1.0, len(sockets) / RETURNS_PER_SECOND - spread))
    began = asyncio.get_running_loop().time()
    told: set[Closable] = set()
    total = len(sockets)
    while sockets and (elapsed := asyncio.get_running_loop().time() - began) < seconds:
        share = min(1.0, elapsed / spread) if spread else 1.0
        waiting = [socket for socket in sockets if socket not in told]
        due = len(waiting) - round(total * (1 - share))
        for socket in waiting[: max(0, due)]:
            told.add(socket)
            _say_goodbye(socket, after_ms)
        await asyncio.sleep(STEP_SECONDS)
    await _flush()


def begin() -> None:
    """From now on the process is not ready and takes nobody in."""
    global _draining
    _draining = True


def _say_goodbye(socket: Closable, after_ms: int) -> None:
    with contained("a goodbye"):
        socket.close_with(RESTART._replace(after_ms=random.randint(0, after_ms)))


async def _flush() -> None:
    """One callback that fails or hangs does not cost the others theirs."""
    flushing = [asyncio.create_task(_run(callback)) for callback in _callbacks]
    if flushing:
        _, late = await asyncio.wait(flushing, timeout=FLUSH_SECONDS)
        for task in late:
            task.cancel()
            logger.error("what was accepted was not stored within %d s", FLUSH_SECONDS)


async def _run(callback: Callable[[], Awaitable[None]]) -> None:
    with contained("storing what was accepted"):
        await callback()


metrics.sockets.set_function(lambda: len(sockets))
metrics.draining.set_function(lambda: float(_draining))

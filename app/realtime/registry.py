"""What the sockets and requests of one event loop share: hub, writers, gatherings, threads. All of it, in one place.

Each is made when it is first asked for, since no server says when it starts, and all end together. A product keeps its
own things here, too, under a name of its own (most often their class):

    services = registry.here().get(Services, Services)
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar, cast

from realtime.failures import contained
from realtime.limits import END_SECONDS, FLUSH_SECONDS

logger = logging.getLogger(__name__)


class Kept(Protocol):
    """What ends with its loop."""

    async def finish(self) -> None:
        """Returns when what was accepted is done. Asked while all the others still work."""

    async def close(self) -> None:
        """Leaves nothing behind: no task, no connection, no thread."""


T = TypeVar("T", bound=Kept)


class Registry:
    """One per event loop; `here()` has it."""

    def __init__(self) -> None:
        self._kept: dict[object, Kept] = {}

    def get(self, kind: object, make: Callable[[], T]) -> T:
        """The loop's only one of this kind, which is anything that has a hash."""
        kept = self._kept.get(kind)
        if kept is None:
            kept = make()
            self._kept[kind] = kept
        return cast(T, kept)

    def __contains__(self, kind: object) -> bool:
        return kind in self._kept

    async def finish(self) -> None:
        """What was accepted is stored and told. One thing that fails or hangs does not cost the others theirs."""
        finishing = [asyncio.create_task(_finish(kept)) for kept in self._kept.values()]
        if finishing:
            _, late = await asyncio.wait(finishing, timeout=FLUSH_SECONDS)
            if late:
                logger.error("what was accepted was not stored within %d s", FLUSH_SECONDS)
            await ended(late)

    async def close(self) -> None:
        """Ends everything. What the loop's next socket asks for is made anew.

        The first made is the first closed: whatever a thing works with it asks for at work, which is later. A Redis or
        a database that hangs does not keep the process.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + END_SECONDS
        while self._kept:
            kind, kept = next(iter(self._kept.items()))
            with contained("the end of what a loop shares"):
                async with asyncio.timeout_at(deadline):
                    await kept.close()
            del self._kept[kind]
        _registries.pop(loop, None)


async def _finish(kept: Kept) -> None:
    with contained("storing what was accepted"):
        await kept.finish()


async def ended(tasks: Iterable["asyncio.Task[Any] | None"]) -> None:
    """Cancels the tasks and returns when they are gone."""
    going = [task for task in tasks if task is not None and not task.done()]
    for task in going:
        task.cancel()
    if going:
        await asyncio.wait(going)


async def leave() -> None:
    """The loop ends: what was accepted is done, and nothing is left behind."""
    await here().finish()
    await here().close()


_registries: dict[asyncio.AbstractEventLoop, Registry] = {}


def here() -> Registry:
    """The running loop's."""
    loop = asyncio.get_running_loop()
    registry = _registries.get(loop)
    if registry is None:
        for closed in [other for other in tuple(_registries) if other.is_closed()]:
            _registries.pop(closed, None)
        registry = _registries[loop] = Registry()
    return registry


def loops_with(kind: object) -> list[asyncio.AbstractEventLoop]:
    """Those that run and have such a thing. May be asked in any thread."""
    return [loop for loop, registry in tuple(_registries.items()) if kind in registry and loop.is_running()]

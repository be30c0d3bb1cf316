"""Where the hub of this loop, or of this process, is found."""

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from realtime import failures, layers, registry
from realtime.contract import Product
from realtime.hub import Hub
from realtime.limits import FLUSH_SECONDS

T = TypeVar("T")

_making = threading.Lock()
_publisher: asyncio.AbstractEventLoop | None = None
_publishing: threading.Thread | None = None


def here(product: Product) -> Hub:
    """The running loop's hub, made at the first call: Daphne tells nobody when it starts."""
    return registry.here().get(Hub, lambda: Hub(product))


def from_any_thread(product: Product, speak: Callable[[Hub], None]) -> None:
    """Lets speak(hub) run on this process's hub. Does not wait for it and never fails.

    Where sockets are served, it is their hub. Elsewhere (gunicorn, a management command) it is one without
    sockets, on a thread of its own: one loop, and so one connection to Redis, a process, however many calls.
    """
    if loop := _loop():
        with contextlib.suppress(RuntimeError):  # the loop has just been closed
            loop.call_soon_threadsafe(lambda: speak(here(product)))


def ask_from_any_thread(product: Product, ask: Callable[[Hub], Coroutine[Any, Any, T]]) -> "Future[T] | None":
    """Lets ask(hub) run there, too: its answer to come. None where there is no hub that could know anything."""
    if loop := _loop():
        asked = _asked(product, ask)
        try:
            return asyncio.run_coroutine_threadsafe(asked, loop)
        except RuntimeError:  # the loop has just been closed
            asked.close()
    return None


async def _asked(product: Product, ask: Callable[[Hub], Coroutine[Any, Any, T]]) -> T:
    return await ask(here(product))


def _loop() -> asyncio.AbstractEventLoop | None:
    """That of this process's hub. None where nobody can hear: in memory a layer reaches this process alone."""
    loop = next((loop for loop in registry.loops_with(Hub) if loop is not _publisher), None)
    return publisher() if loop is None and layers.reaches_others() else loop


def publisher() -> asyncio.AbstractEventLoop:
    """Its loop; a new one where its thread has ended."""
    global _publisher, _publishing
    with _making:
        if _publisher is None or _publishing is None or not _publishing.is_alive():
            _publisher = asyncio.new_event_loop()
            _publishing = threading.Thread(target=_publish, args=[_publisher], name="publisher", daemon=True)
            _publishing.start()
    return _publisher


def _publish(loop: asyncio.AbstractEventLoop) -> None:
    failures.watch(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(registry.leave())
    finally:
        loop.close()


@atexit.register
def end_publisher() -> None:
    """What was published is told, as far as that goes in a moment: a command ends right after it."""
    if _publisher is not None and _publishing is not None and _publishing.is_alive():
        _publisher.call_soon_threadsafe(_publisher.stop)
        _publishing.join(FLUSH_SECONDS)

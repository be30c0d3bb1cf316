"""Exceptions that nobody waits for: counted, told, and no reason to stop.

What goes round over many sockets, rooms or events contains the failure of one of them. What runs for as long as
the process does is begun again.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from realtime import metrics, request_id
from realtime.limits import CALM_SECONDS, REPORT_SECONDS, RESTART_LONGEST_SECONDS, RESTART_SECONDS

logger = logging.getLogger(__name__)

_quiet_until: dict[str, float] = {}


def report(what: str, error: BaseException) -> None:
    """Counts the failure. The log gets one line of each `what` in REPORT_SECONDS: there may be thousands."""
    metrics.failures.labels(what).inc()
    now = time.monotonic()
    if now >= _quiet_until.get(what, 0.0):
        _quiet_until[what] = now + REPORT_SECONDS
        logger.error("failed: %s: %s", what, type(error).__name__, exc_info=error)


@contextlib.contextmanager
def contained(what: str) -> Iterator[None]:
    """What fails in here is reported, and the caller goes on."""
    try:
        yield
    except Exception as error:
        report(what, error)


def keep(what: str, run: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """Runs run() in a task, and again whenever it fails, after a pause that grows. Ends where run() returns."""
    return asyncio.get_running_loop().create_task(_kept(what, run), name=what, context=request_id.apart())


async def _kept(what: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop = asyncio.get_running_loop()
    pause: float = RESTART_SECONDS
    while True:
        began = loop.time()
        try:
            return await run()
        except asyncio.CancelledError as error:
            if asked_to_end():
                raise
            report(what, error)  # it came from something that the task waited for
        except Exception as error:
            report(what, error)
        if loop.time() - began > CALM_SECONDS:
            pause = RESTART_SECONDS
        await asyncio.sleep(pause)
        pause = min(2 * pause, RESTART_LONGEST_SECONDS)


def asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """From here on, what ends a callback, a forgotten task or a thread of this process is reported, too."""
    loop.set_exception_handler(_unhandled)
    threading.excepthook = _ended_a_thread


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    report("a callback", error if error is not None else RuntimeError(context.get("message")))


def _ended_a_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        report("a thread", args.exc_value)

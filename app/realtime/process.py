"""The process of the ASGI role: it makes the server, serves until a signal comes, and drains."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from realtime import capacity, failures, metrics, reach, registry
from realtime.conf import settings
from realtime.drain import begin, drain
from realtime.ending import BAD_SETTING, EXIT_SECONDS, RELOAD, end_after, refuse
from realtime.limits import (
    BACKLOG,
    END_SECONDS,
    FLUSH_SECONDS,
    RELOAD_SECONDS,
    STOP_SECONDS,
)
from realtime.listening import listen, url
from realtime.signals import Signals

SWITCH_SECONDS = 0.0005  # until a busy loop lets the database's thread go on: a transaction waits for it several times
THREADS = 8  # for blocking work that asks for no thread in particular
# Net allocations until the garbage collector looks for cycles, and how many looks until it looks farther. A message
# leaves none, and by its own thresholds the collector looked at everything once a second in a busy process, for 10 ms
# and more; a socket that ends leaves some thirty objects.
GC_THRESHOLDS = 10_000, 3, 3
PROJECT = "config"  # whose settings are meant where nobody says which

logger = logging.getLogger("realtime.serve")


class Server(Protocol):
    """What servers.daphne and servers.uvicorn have in common."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    async def start(self, listeners: Sequence[socket.socket], ceiling: float) -> None: ...
    def accept_nobody(self) -> None: ...
    async def stop(self, seconds: float) -> None: ...


def run(
    application: Any,
    signals: Signals,
    listeners: Sequence[socket.socket] | None = None,
    watch: Callable[[Callable[[], None]], None] | None = None,
) -> NoReturn:
    """Serves the settings' ASGI_APPLICATION, or the given one, until a signal comes. Raises SystemExit.

    `listeners` are bound already; without them those of HOST and PORT are used. `watch` is called once the process
    serves, with a function for any thread that ends it with the status RELOAD.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{PROJECT}.settings")
    os.environ["ROLE"] = "asgi"
    try:
        listeners = listeners or listen(settings.HOST, settings.PORT)
        server = make_server(application)
    except ImproperlyConfigured as error:
        refuse(str(error), BAD_SETTING)
    except ModuleNotFoundError as error:
        if error.name != PROJECT:
            raise
        refuse("DJANGO_SETTINGS_MODULE is missing: set it to your settings, such as mysite.settings.", BAD_SETTING)
    with asyncio.Runner(loop_factory=lambda: server.loop) as runner:
        status = runner.run(serve(server, listeners, signals, watch))
    sys.exit(status)


def make_server(application: Any) -> Server:
    """Daphne comes before Django's apps: whichever imports Twisted first decides on its event loop."""
    if settings.WS_SERVER == "uvicorn":
        from realtime.servers.uvicorn import Server
    else:
        from realtime.servers import reactor

        reactor.install()
        from realtime.servers.daphne import Server
    if not (application or settings.ASGI_APPLICATION):
        raise ImproperlyConfigured("ASGI_APPLICATION is missing in the settings: set it to mysite.asgi.application.")
    # Like the settings' other names of objects, this one is the product's: nothing here knows which it is.
    return Server(application or import_string(settings.ASGI_APPLICATION))


async def serve(
    server: Server,
    listeners: Sequence[socket.socket],
    signals: Signals,
    watch: Callable[[Callable[[], None]], None] | None,
) -> int:
    """The status that the process ends with."""
    loop = asyncio.get_running_loop()
    failures.watch(loop)
    metrics.tasks.set_function(lambda: len(asyncio.all_tasks(loop)))
    asked = Asked(signals)
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "work"))
    gc.collect()
    gc.freeze()  # what was imported stays: in a crowd of arrivals it would be looked through again and again
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)
    limit = capacity.raise_limit()
    metrics.serve(settings.HOST, settings.METRICS_PORT)
    try:
        lowered = capacity.settle(limit)
    except ImproperlyConfigured as error:
        refuse(str(error), BAD_SETTING)
    if lowered:
        logger.warning("%s", lowered)
    for listener in listeners:
        listener.listen(BACKLOG)
    await server.start(listeners, limit - capacity.kept())
    reach.look()
    logger.info("Listening on %s", url(listeners[0]))
    if watch:
        watch(asked.reload)
    await asked.to_leave.wait()
    if asked.to_return:
        return await hand_over(server, asked)
    in_order = not asked.at_once.is_set()
    begin()
    leaving = settings.DRAIN_SECONDS + FLUSH_SECONDS if in_order else 0
    end_after(leaving + STOP_SECONDS + END_SECONDS + EXIT_SECONDS, 1)
    if in_order:
        logger.info("Draining for %d s at most", settings.DRAIN_SECONDS)
        await first(drain(settings.DRAIN_SECONDS), asked.at_once.wait())
    await server.stop(0 if asked.at_once.is_set() else STOP_SECONDS)
    await registry.here().close()
    return 0


async def hand_over(server: Server, asked: "Asked") -> int:
    """Leaves everybody to the successor, which has the same listeners: new connections wait for it."""
    server.accept_nobody()
    end_after(RELOAD_SECONDS + FLUSH_SECONDS + RELOAD_SECONDS + END_SECONDS + EXIT_SECONDS, RELOAD)
    await first(drain(RELOAD_SECONDS, after_ms=0), asked.at_once.wait())
    await server.stop(0 if asked.at_once.is_set() else RELOAD_SECONDS)
    await registry.here().close()
    return 0 if asked.at_once.is_set() else RELOAD


async def first(*these: Any) -> None:
    """Waits for one of these and cancels the others."""
    tasks = [asyncio.ensure_future(this) for this in these]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


class Asked:
    """What the signals, and changes of the code, have asked for, as events of the running loop."""

    def __init__(self, signals: Signals) -> None:
        self.to_leave = asyncio.Event()
        self.at_once = asyncio.Event()
        self.to_return = False  # as another process, with the code as it is then
        self._loop = asyncio.get_running_loop()
        signals.attach(self._hear)

    def reload(self) -> None:
        """From any thread. A signal that came first counts."""
        self._loop.call_soon_threadsafe(self._note_reload)

    def _hear(self, number: int) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, number)

    def _note(self, number: int) -> None:
        self.to_leave.set()
        if number == signal.SIGINT:
            self.at_once.set()

    def _note_reload(self) -> None:
        if not self.to_leave.is_set():
            self.to_return = True
            self.to_leave.set()

"""What this process writes of events that grow: stored four times a second, told twenty times, for all together.

One thread stores them all by one statement, and learns from the database which are not wanted any more. A task of the
hub's loop tells what has been added. So a write itself costs no more than to put some text behind some other.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from django.db import Error as DatabaseError
from django.db import connection, transaction

from realtime import hubs, registry, request_id
from realtime.hub import Hub
from realtime.registry import ended
from realtime.seldom import Seldom, again
from topics import appending
from topics.delivery.live import PREFIX, TOPICS
from topics.growing import grown
from topics.storing import database
from topics.storing.outcomes import Unavailable

if TYPE_CHECKING:
    from topics.growing.writing import Growth

logger = logging.getLogger(__name__)

STORE_SECONDS: Final = 0.25
HEARD_SECONDS: Final = 1  # between two signs of life of an event to which nothing is added
TELL_SECONDS: Final = 0.05
TELL_PAUSES: Final = 2  # times as long as telling took: it has a third of a busy loop
TOLD_TOGETHER: Final = 50  # events, before others have their turn in the loop
PATIENCE_SECONDS: Final = 10  # for a database that does not take the end
RETRY_SECONDS: Final = 0.2
CALL: Final = "cancel"  # of the hubs: somebody has cancelled something


class Keeper:
    """One for the process. An event that nobody holds any more, as it was never left properly, is given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._growths: WeakValueDictionary[int, Growth] = WeakValueDictionary()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._stored_at = 0.0
        self._trouble = Seldom()

    def keep(self, growth: "Growth") -> None:
        """Where the writer is still in a transaction, it is that of a test case, which no other thread sees into."""
        with self._lock:
            self._growths[growth.entry] = growth
            hidden = connection.in_atomic_block
            if not hidden and (self._thread is None or not self._thread.is_alive()):  # also the one of before a fork
                self._thread = threading.Thread(target=self._work, name="growing", daemon=True)
                self._thread.start()
        hubs.from_any_thread(TOPICS, self._tell_soon)

    def finish(self, growth: "Growth", status: str) -> None:
        """The writer has left. Waits while the database is away, for as long as anybody might."""
        deadline = monotonic() + PATIENCE_SECONDS
        try:
            while not growth.status:
                try:
                    self._end(growth, status)
                except (DatabaseError, Unavailable):
                    if monotonic() > deadline:
                        raise
                    sleep(RETRY_SECONDS)
        finally:
            with self._lock:
                self._growths.pop(growth.entry, None)

    def _all(self) -> "list[Growth]":
        with self._lock:
            return [growth for growth in self._growths.values() if not growth.status]

    def _end(self, growth: "Growth", status: str) -> None:
        """With all that was written, also where not all of it was stored before."""
        with growth.ending:
            if growth.status:
                return
            growth.quiet = True  # nothing is told after the end
            try:
                with transaction.atomic():
                    if change := grown.end(growth.entry, status, growth.data):
                        appending.told(*change)
            except BaseException:
                growth.quiet = False
                raise
            growth.status = status if change else grown.FAILED

    # --- In the thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        while self._goes_on():
            self._hurry.wait(STORE_SECONDS)
            self._hurry.clear()
            try:
                database.released(self._round)
            except Exception as error:  # what is not stored now is stored the next time
                if (times := self._trouble.due(kind := type(error).__name__)) is not None:
                    logger.warning("events that grow cannot be stored: %s: %s%s", kind, error, again(times))

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._growths:
                self._thread = None
        return self._thread is not None

    def _round(self) -> None:
        growths = {growth.entry: growth for growth in self._all()}
        wanted = grown.wanted(growths)
        for entry, growth in growths.items():
            if wanted.get(entry) is not False:  # cancelled, or ended by others
                self._end(growth, grown.CANCELLED)
        if monotonic() - self._stored_at >= STORE_SECONDS:
            self._stored_at = monotonic()
            self._store([growths[entry] for entry, cancelled in wanted.items() if not cancelled])

    def _store(self, growths: "list[Growth]") -> None:
        texts = {growth: growth.text for growth in growths if growth.is_due(self._stored_at, HEARD_SECONDS)}
        if texts:
            grown.store({growth.entry: growth.data_if_new(text) for growth, text in texts.items()})
        for growth, text in texts.items():
            growth.was_stored(text, self._stored_at)

    # --- In the hub's loop ---------------------------------------------------------------------------

    def _tell_soon(self, hub: Hub) -> None:
        hub.calls[CALL] = self._hurry.set
        registry.here().get(Teller, lambda: Teller(hub, self._all)).begin()


class Teller:
    """One per loop: tells what is added, as long as something grows."""

    def __init__(self, hub: Hub, growths: "Callable[[], list[Growth]]") -> None:
        self._hub = hub
        self._growths = growths
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._hub.loop.create_task(self._tell(), context=request_id.apart())

    async def finish(self) -> None:
        """The end of each tells all."""

    async def close(self) -> None:
        await ended([self._task])

    async def _tell(self) -> None:
        loop = self._hub.loop
        while growths := self._growths():
            began = loop.time()
            while growths:
                for growth in growths[-TOLD_TOGETHER:]:
                    self._mention(growth)
                del growths[-TOLD_TOGETHER:], growth  # who writes may leave it without a word
                await asyncio.sleep(0)
            await asyncio.sleep(max(TELL_SECONDS, TELL_PAUSES * (loop.time() - began)))

    def _mention(self, growth: "Growth") -> None:
        if not self._hub.backed_up and (frame := growth.more()):
            self._hub.mention_growth(PREFIX + growth.topic, frame)


keeper: Final = Keeper()

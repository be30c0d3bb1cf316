"""What this process writes of events that grow: stored four times a second, told twenty times, for all together.

One thread stores them, another one ends what somebody has cancelled: so a cancel waits for nothing that is stored. A
task of the hub's loop tells what has been added. So a write itself costs no more than to put some text behind some
other.
"""

import threading
from time import monotonic, sleep
from typing import Final
from weakref import WeakValueDictionary

from django.db import Error as DatabaseError
from django.db import connection

from realtime import hubs, registry
from realtime.hub import Hub
from topics.delivery.live import TOPICS
from topics.growing import ending, grown
from topics.growing.growth import Growth
from topics.growing.rounds import Rounds
from topics.growing.telling import Teller
from topics.storing.outcomes import Unavailable

STORE_SECONDS: Final = 0.25
STORED_TOGETHER: Final = 200  # events: for as long as that takes, others cannot end them
HEARD_SECONDS: Final = 1  # between two signs of life of an event to which nothing is added
LOOK_SECONDS: Final = 0.25  # for what was cancelled, where nobody is told
PATIENCE_SECONDS: Final = 10  # for a database that does not take the end
RETRY_SECONDS: Final = 0.2
CALL: Final = "cancel"  # of the hubs: somebody has cancelled something


class Keeper:
    """One for the process. An event that nobody holds any more, as it was never left properly, is given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._growths: WeakValueDictionary[int, Growth] = WeakValueDictionary()
        self._storing = Rounds("storing what grows", STORE_SECONDS, self._store, self._any)
        self._stopping = Rounds("stopping what grows", LOOK_SECONDS, self._stop, self._any)

    def keep(self, growth: Growth) -> None:
        """Where the writer is still in a transaction, it is that of a test case, which no other thread sees into."""
        with self._lock:
            self._growths[growth.entry] = growth
        if not connection.in_atomic_block:
            self._begin()
        hubs.from_any_thread(TOPICS, self._tell_soon)

    def finish(self, growth: Growth, status: str) -> None:
        """The writer has left. Waits while the database is away, for as long as anybody might."""
        deadline = monotonic() + PATIENCE_SECONDS
        try:
            while not growth.status:
                try:
                    ending.end(growth, status)
                except (DatabaseError, Unavailable):
                    if monotonic() > deadline:
                        raise
                    sleep(RETRY_SECONDS)
        finally:
            with self._lock:
                self._growths.pop(growth.entry, None)
            if not self._growths:
                self._end()

    def _begin(self) -> None:
        self._storing.begin()
        self._stopping.begin()

    def _end(self) -> None:
        """At once, with their connections: a test's database, for example, may be dropped right after it."""
        self._storing.soon.set()
        self._stopping.soon.set()

    def _any(self) -> bool:
        return bool(self._growths)

    def _all(self) -> list[Growth]:
        with self._lock:
            return [growth for growth in self._growths.values() if not growth.status]

    # --- In the threads ------------------------------------------------------------------------------

    def _stop(self) -> bool:
        """Whether something is left that somebody has cancelled."""
        cancelled = grown.cancelled()
        return ending.stop([growth for growth in self._all() if growth.entry in cancelled])

    def _store(self) -> bool:
        now = monotonic()
        due = [growth for growth in self._all() if growth.is_due(now, HEARD_SECONDS)]
        for first in range(0, len(due), STORED_TOGETHER):
            self._store_some(due[first : first + STORED_TOGETHER], now)
        return False

    def _store_some(self, growths: list[Growth], now: float) -> None:
        texts = {growth: growth.text for growth in growths}
        stored = grown.store({growth.entry: growth.data_if_new(text) for growth, text in texts.items()})
        for growth, text in texts.items():
            if growth.entry in stored:
                growth.was_stored(text, now)
        if others := {growth.entry: growth for growth in growths if growth.entry not in stored}:
            gone = others.keys() - grown.growing(others)
            ending.stop([others[entry] for entry in gone])

    # --- In the hub's loop ---------------------------------------------------------------------------

    def _tell_soon(self, hub: Hub) -> None:
        hub.calls[CALL] = self._stopping.soon.set
        registry.here().get(Teller, lambda: Teller(hub, self._all)).begin()


keeper: Final = Keeper()

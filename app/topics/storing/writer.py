"""Appending for sockets: whatever comes together, in one transaction.

While one transaction runs, what arrives waits and becomes the next one: under load a commit carries many
messages, and a lone message waits for nobody.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from time import monotonic, sleep
from typing import Any, Final, NamedTuple

from django.db import connection

from realtime import metrics, request_id
from realtime.hub import Hub
from realtime.registry import ended
from topics import rates
from topics.storing import database
from topics.storing.outcomes import Locked, TooMuch, Unavailable

logger = logging.getLogger(__name__)

BATCH: Final = 500  # entries in one transaction
MOST_WAITING: Final = 5_000  # entries; more is more than the database can take soon
CROWD: Final = 8  # entries that came together; then more will come soon, and the next transaction waits
GATHER_SECONDS: Final = 0.003  # for them: many small transactions would take the time that the loop needs
ASIDE_SECONDS: Final = 5  # for a locked log; then its senders are told to come back
ASIDE_RETRY_SECONDS: Final = 0.05
RETRY_AFTER_MS: Final = 1_000

Done = Callable[[Any], None]
"""Is told what became of it."""


class Waiting(NamedTuple):
    entry: Any
    done: Done
    since: float
    whose: Collection[str]
    by: request_id.Ids  # of the request or socket


Told = tuple[Waiting, Any]


class Writer:
    """One per hub and product. Outcomes are told by callback: a task or a future for each would cost more than it does.

    The loop fills `_waiting` and tells; the database's thread empties it and has what is set aside to itself.
    So the next transaction does not wait for the last one to be told, nor for the loop to be free.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Waiting] = deque()
        self._aside: dict[Hashable, deque[Waiting]] = {}
        self._accepted = 0  # and not told yet, wherever they are
        self._shares: dict[str, int] = {}  # of those, by person and address
        self._task: asyncio.Task[None] | None = None

    # --- What a product says of its entries ----------------------------------------------------------

    def log_of(self, entry: Any) -> Hashable:
        """Which log it is for."""
        raise NotImplementedError

    def append_all(self, entries: Sequence[Any], *, skip_locked: bool) -> Sequence[Any]:
        """Stores them in order; an outcome for each. In the database's thread."""
        raise NotImplementedError

    def publish(self, entry: Any, outcome: Any) -> None:
        """Tells the sockets of what has been stored."""
        raise NotImplementedError

    # --- In the loop -------------------------------------------------------------------------------

    def append(self, entry: Any, done: Done, whose: Collection[str] = ()) -> None:
        """Stores the entry soon; done(outcome) is called after COMMIT, before anybody hears of it.

        Nobody of those `whose` it is may have more waiting than there is room left. So as the queue fills, those who
        have most in it are refused first, and who has nothing in it gets in as long as it is not full.
        """
        free, shares = MOST_WAITING - self._accepted, self._shares
        if free <= 0:
            done(Unavailable("too much is waiting to be stored"))
            return
        if self._accepted >= free and any(shares.get(who, 0) >= free for who in whose):
            rates.too_much.inc()
            done(TooMuch("there is no room for more of the same"))
            return
        self._accepted += 1
        for who in whose:
            shares[who] = shares.get(who, 0) + 1
        self._waiting.append(Waiting(entry, done, monotonic(), whose, request_id.current.get()))
        if self._task is None:
            self._task = self._loop.create_task(self._work(), context=request_id.apart())

    async def finish(self) -> None:
        """Returns when everything that was accepted has its outcome."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """What still waits is not stored, and nobody is there to be told."""
        await ended([self._task])

    async def _work(self) -> None:
        try:
            while self._waiting or self._aside:
                await database.run(database.writer, self._store_waiting)
                if self._aside and not self._waiting:
                    await asyncio.sleep(ASIDE_RETRY_SECONDS)
        except Exception as error:  # there is no thread to be had
            logger.exception("nothing can be stored")
            queues = [*self._aside.values(), self._waiting]
            self._tell([(waiting, Unavailable(str(error))) for queue in queues for waiting in queue])
            self._aside.clear()
            self._waiting.clear()
        finally:
            self._task = None

    def _tell(self, outcomes: list[Told]) -> None:
        self._accepted -= len(outcomes)
        now = monotonic()
        for waiting, outcome in outcomes:
            metrics.ack_seconds.observe(now - waiting.since)
            self._give_back(waiting.whose)
            try:
                waiting.done(outcome)
            except Exception:
                logger.exception("whoever said something could not be told what became of it")
            try:
                self.publish(waiting.entry, outcome)
            except Exception:
                logger.exception("what is in the log could not be told: the next check of the log does it")

    def _give_back(self, whose: Collection[str]) -> None:
        for who in whose:
            if left := self._shares[who] - 1:
                self._shares[who] = left
            else:
                del self._shares[who]

    # --- In the database's thread ------------------------------------------------------------------

    def _store_waiting(self) -> None:
        """Transaction after transaction, over one connection, until nothing waits but for a lock."""
        while True:
            if batch := self._next_batch():
                self._store(batch)
            if self._aside:
                self._retry_aside()
            if not self._waiting:
                return
            if len(batch) >= CROWD:
                sleep(GATHER_SECONDS)

    def _next_batch(self) -> list[Waiting]:
        """The next entries; what belongs to a log that is set aside queues up behind its earlier ones."""
        batch = []
        for _ in range(min(BATCH, len(self._waiting))):
            waiting = self._waiting.popleft()
            if queue := self._aside.get(self.log_of(waiting.entry)):
                queue.append(waiting)
            else:
                batch.append(waiting)
        return batch

    def _store(self, batch: list[Waiting], *, skip_locked: bool = False) -> None:
        with request_id.concerning([waiting.by for waiting in batch]):
            outcomes = self._outcomes(batch, skip_locked)
        self._loop.call_soon_threadsafe(self._tell, self._settled(batch, outcomes))
        if connection.errors_occurred:  # it may be dead
            connection.close()

    def _outcomes(self, batch: list[Waiting], skip_locked: bool) -> list[Any]:
        metrics.append_events.observe(len(batch))
        try:
            with metrics.append_seconds.time():
                return list(self.append_all([waiting.entry for waiting in batch], skip_locked=skip_locked))
        except Exception as error:  # whatever it is, who waits is told and the next ones have their turn
            logger.exception("what was said could not be stored")
            return [Unavailable(str(error)) for _ in batch]

    def _settled(self, batch: list[Waiting], outcomes: list[Any]) -> list[Told]:
        """What can be told; what met a locked log is set aside, in order, unless it has waited too long."""
        settled: list[Told] = []
        returned: dict[Hashable, list[Waiting]] = {}
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Locked) and monotonic() - waiting.since < ASIDE_SECONDS:
                returned.setdefault(self.log_of(waiting.entry), []).append(waiting)
            else:
                settled.append((waiting, outcome))
        for log, again in returned.items():
            self._aside.setdefault(log, deque()).extendleft(reversed(again))
        return settled

    def _retry_aside(self) -> None:
        queues = self._aside.values()
        batch = [queue.popleft() for queue in queues for _ in range(min(BATCH, len(queue)))]
        self._store(batch, skip_locked=True)
        self._aside = {log: queue for log, queue in self._aside.items() if queue}

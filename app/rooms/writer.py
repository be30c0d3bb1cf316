"""Appending to the log for everybody: sockets by `Writer`, sync code by `append`. Both publish what is new.

While one transaction runs, what arrives waits and becomes the next one: under load a commit carries many
messages, and a lone message waits for nobody.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection
from time import monotonic, sleep
from typing import Final, NamedTuple

from django.db import connection, transaction

from realtime import drain, hubs
from realtime.hub import Hub
from rooms import database, frames, rates
from rooms.live import ROOMS
from rooms.log import Entry, Locked, Outcome, Stored, TooMuch, Unavailable, append_all
from rooms.making import Birth
from rooms.models import Room
from rooms.people import Person

logger = logging.getLogger(__name__)

BATCH: Final = 500  # entries in one transaction
MOST_WAITING: Final = 5_000  # entries; more is more than the database can take soon
CROWD: Final = 8  # entries that came together; then more will come soon, and the next transaction waits
GATHER_SECONDS: Final = 0.003  # for them: many small transactions would take the time that the loop needs
ASIDE_SECONDS: Final = 5  # for a locked room; then its senders are told to come back
ASIDE_RETRY_SECONDS: Final = 0.05
RETRY_AFTER_MS: Final = 1_000

Done = Callable[[Outcome], None]

_writers: dict[Hub, "Writer"] = {}


class Waiting(NamedTuple):
    entry: Entry
    done: Done
    since: float
    whose: Collection[str]


Told = tuple[Waiting, Outcome]


class Writer:
    """One per hub. Outcomes are told by callback: a task or a future a message would cost more than it does.

    The loop fills `_waiting` and tells; the database's thread empties it and has what is set aside to itself.
    So the next transaction does not wait for the last one to be told, nor for the loop to be free.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Waiting] = deque()
        self._aside: dict[int, deque[Waiting]] = {}
        self._accepted = 0  # and not told yet, wherever they are
        self._shares: dict[str, int] = {}  # of those, by person and address
        self._task: asyncio.Task[None] | None = None
        drain.at_drain(self.finish)

    @classmethod
    def here(cls, hub: Hub) -> "Writer":
        if hub not in _writers:
            _writers[hub] = cls(hub)
        return _writers[hub]

    # --- In the loop -------------------------------------------------------------------------------

    def append(self, entry: Entry, done: Done, whose: Collection[str] = ()) -> None:
        """Stores the entry soon; done(outcome) is called after COMMIT, before anybody hears of it.

        Nobody of those `whose` it is may have more waiting than there is room left. So as the queue fills, those who
        have most in it are refused first, and who has nothing in it gets in as long as it is not full.
        """
        free, shares = MOST_WAITING - self._accepted, self._shares
        if free <= 0:
            done(Unavailable("too much is waiting to be stored"))
            return
        for who in whose:
            if shares.get(who, 0) >= free:
                rates.too_much.inc()
                done(TooMuch("there is no room for more of the same"))
                return
        self._accepted += 1
        for who in whose:
            shares[who] = shares.get(who, 0) + 1
        self._waiting.append(Waiting(entry, done, monotonic(), whose))
        if self._task is None:
            self._task = self._loop.create_task(self._work())

    async def finish(self) -> None:
        """Returns when everything that was accepted has its outcome."""
        while self._task is not None:
            await asyncio.wait([self._task])

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
        for waiting, outcome in outcomes:
            self._give_back(waiting.whose)
            try:
                waiting.done(outcome)
            except Exception:
                logger.exception("whoever said something could not be told what became of it")
            try:
                publish(self._hub, outcome)
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
        """The next entries; what belongs to a room that is set aside queues up behind its earlier ones."""
        batch = []
        for _ in range(min(BATCH, len(self._waiting))):
            waiting = self._waiting.popleft()
            if queue := self._aside.get(waiting.entry.room):
                queue.append(waiting)
            else:
                batch.append(waiting)
        return batch

    def _store(self, batch: list[Waiting], *, skip_locked: bool = False) -> None:
        outcomes: list[Outcome]
        try:
            outcomes = append_all([waiting.entry for waiting in batch], skip_locked=skip_locked)
        except Exception as error:  # whatever it is, who waits is told and the next ones have their turn
            logger.exception("what was said could not be stored")
            outcomes = [Unavailable(str(error)) for _ in batch]
        self._loop.call_soon_threadsafe(self._tell, self._settled(batch, outcomes))
        if connection.errors_occurred:  # it may be dead
            connection.close()

    def _settled(self, batch: list[Waiting], outcomes: list[Outcome]) -> list[Told]:
        """What can be told; what met a locked room is set aside, in order, unless it has waited too long."""
        settled: list[Told] = []
        returned: dict[int, list[Waiting]] = {}
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Locked) and monotonic() - waiting.since < ASIDE_SECONDS:
                returned.setdefault(waiting.entry.room, []).append(waiting)
            else:
                settled.append((waiting, outcome))
        for room, again in returned.items():
            self._aside.setdefault(room, deque()).extendleft(reversed(again))
        return settled

    def _retry_aside(self) -> None:
        queues = self._aside.values()
        batch = [queue.popleft() for queue in queues for _ in range(min(BATCH, len(queue)))]
        self._store(batch, skip_locked=True)
        self._aside = {room: queue for room, queue in self._aside.items() if queue}


def publish(hub: Hub, outcome: Outcome) -> None:
    if isinstance(outcome, Stored) and outcome.fresh:
        hub.publish(str(outcome.room), outcome.epoch, outcome.seq, frames.message(outcome))


def append(room: Room, *, id: str, person: Person, body: str, address: str = "") -> Stored:
    """For sync code: stores, and publishes once it is committed. Raises whatever other outcome there is."""
    birth = None if room.is_made else Birth(room, address)
    outcome = append_all([Entry(room.pk, id, person, body, birth)])[0]
    if not isinstance(outcome, Stored):
        raise outcome
    if outcome.fresh:
        transaction.on_commit(lambda: hubs.from_any_thread(ROOMS, lambda hub: publish(hub, outcome)))
    return outcome

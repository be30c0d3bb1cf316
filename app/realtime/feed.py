"""One room's events in this process: put in order, kept for a while, handed to every local socket.

Numbered events (`seq`) are handed out exactly once and in order. A number that was handed out already is
dropped; a jump waits a moment for what is missing and then reads it from the log. Whoever wants to follow
a room is brought level from memory or from the log first: a newcomer, somebody who returns with an old
number, and a socket that was too slow, all by the same function.
"""

import asyncio
import logging
from typing import Any

from realtime import metrics
from realtime.audience import Audience, Cast, casts_in, hand_page, numbered_in
from realtime.bundle import bundles
from realtime.closing import RESTART, TOO_SLOW
from realtime.contract import Dialect, Follower, Numbered, Product, Read
from realtime.failures import contained, report
from realtime.limits import (
    AHEAD_EVENTS,
    REORDER_SECONDS,
    REPLAY_EVENTS,
    REPLAY_LEAST_EVENTS,
    REPLAYS,
)
from realtime.memory import Memory
from realtime.outbox import TooSlow

logger = logging.getLogger(__name__)


class Feed:
    """`seq` is the last number handed out to the live sockets, `epoch` the log's in which it counts."""

    def __init__(
        self,
        room: str,
        epoch: str,
        seq: int,
        read: Read,
        replays: asyncio.Semaphore | None = None,
        product: Product | None = None,
    ) -> None:
        self.product = product
        self.room = room
        self.epoch = epoch
        self.seq = seq
        self.grows = False  # an event of it may still be written: how far, only the log knows
        self.checked = seq  # what had been handed out at the last check: a log that ends before it was restored
        self.live = Audience()
        self.behind: dict[Follower, asyncio.Task[None]] = {}
        self._read = read
        self._replays = replays or asyncio.Semaphore(REPLAYS)  # shared by all rooms of a hub
        self._ahead: dict[int, str] = {}
        self._expected = seq  # the highest number that was heard of
        self._fresh: list[Numbered] = []  # taken, and not handed out yet
        self._casts: list[Cast] = []
        self._due = False  # a round is on its way
        self._memory = Memory()
        self._repair: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._repair_again = False
        self._reads: dict[tuple[int, int, int], asyncio.Task[list[Numbered]]] = {}

    @property
    def empty(self) -> bool:
        return not self.live and not self.behind

    def is_of(self, epoch: str) -> bool:
        """Whether that is the epoch of its log. A log that is not made yet has none: it takes the first one."""
        self.epoch = self.epoch or epoch
        return not epoch or epoch == self.epoch

    # --- Handing out -------------------------------------------------------------------------------

    def take(self, seq: int, frame: str) -> None:
        """A numbered event from this process, the layer or the log: in any order, any number of times."""
        if seq <= self.seq:
            return
        if len(self._ahead) < AHEAD_EVENTS or seq == self.seq + 1:
            self._ahead[seq] = frame
        while (following := self._ahead.pop(self.seq + 1, None)) is not None:
            self._add(Numbered(self.seq + 1, following))
        self._expect(seq)

    def cast(self, frame: str, except_key: str | None = None) -> None:
        """An event without a number, to whoever keeps up, but not to the person with that key."""
        self._casts.append((frame, except_key))
        self._hand_out_soon()

    def _add(self, event: Numbered) -> None:
        self.seq = event.seq
        if self.product is not None and self.product.rewrites(event.frame):
            self._memory.clear()  # who returns reads the log, where what was taken away is no more
        self._memory.add(event)
        self._fresh.append(event)
        self._hand_out_soon()

    def _hand_out_soon(self) -> None:
        """While one round goes out, what comes in waits, and leaves as one write to each socket in the next."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self.hand_out)

    def hand_out(self) -> None:
        """Everything that was taken goes to the live sockets."""
        self._due = False
        fresh, self._fresh = self._fresh, []
        casts, self._casts = self._casts, []
        for dialect in self.live.dialects if fresh or casts else ():
            try:
                self._hand_out_numbered(dialect, numbered_in(dialect, fresh))
                self._hand_out_casts(dialect, casts_in(dialect, casts))
            except Exception as error:  # the dialect has no words for them
                for follower in self.live.of(dialect):
                    self.give_up(follower, error)

    def _hand_out_numbered(self, dialect: Dialect | None, events: list[Numbered]) -> None:
        position = 0
        for bundle in bundles(event.frame.encode() for event in events):
            for follower in self.live.of(dialect):
                try:
                    if not follower.hand(bundle):
                        self.live.discard(follower)
                        self.follow(follower, events[position].seq - 1)
                except Exception as error:
                    self.give_up(follower, error)
            position += len(bundle.payloads)

    def _hand_out_casts(self, dialect: Dialect | None, casts: list[Cast]) -> None:
        authors = {key for _, key in casts if key}
        shared = list(bundles(frame.encode() for frame, _ in casts))
        for follower in self.live.of(dialect) if casts else ():
            some = shared
            try:
                if authors and (own := follower.key) in authors:
                    some = list(bundles(frame.encode() for frame, key in casts if key != own))
                for bundle in some:
                    follower.offer(bundle)
            except Exception as error:
                self.give_up(follower, error)

    def give_up(self, follower: Follower, error: Exception) -> None:
        """A follower that fails has gone: it comes back to what it missed, and the others have noticed nothing."""
        report("a follower", error)
        self.live.discard(follower)
        with contained("a follower"):
            follower.close_with(RESTART)

    # --- Repairing ---------------------------------------------------------------------------------

    def check(self, seq: int) -> None:
        """The log's last number is known to be at least this."""
        self.checked = self.seq
        self._expect(seq)

    def repair(self) -> asyncio.Task[None]:
        """Hands out whatever the log has by now beyond what was handed out. One at a time."""
        if self._repair is None or self._repair.done():
            self._repair = asyncio.create_task(self._catch_up_with_log())
        else:
            self._repair_again = True  # what it is reading may be older than what the caller knows of
        return self._repair

    def _expect(self, seq: int) -> None:
        """In a busy room numbers up to this one are on their way; what does not come in a moment is read."""
        self._expected = max(self._expected, seq)
        if self._expected > self.seq and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REORDER_SECONDS, self._overdue, self._expected)

    def _overdue(self, seq: int) -> None:
        self._timer = None
        if seq > self.seq:
            metrics.repairs.inc()
            self.repair()
        else:
            self._expect(self._expected)  # what was heard of since then

    async def _catch_up_with_log(self) -> None:
        try:
            while (page := await self._read(self.room, self.seq, REPLAY_EVENTS)) or self._repair_again:
                self._repair_again = False
                if page and page[0].seq > self.seq + 1:
                    self.seq = page[0].seq - 1  # the log itself has lost those: there is nothing to wait for
                for event in page:
                    self.take(event.seq, event.frame)
        except Exception as error:  # the log cannot be read now; the next check tries again
            logger.warning("room %s: the log could not be read: %s", self.room, error)

    async def read(self, after: int, limit: int = REPLAY_EVENTS) -> list[Numbered]:
        """A page of the log after that number, at least to what was handed out; shared by all who ask at once."""
        key = after, self.seq, limit
        reading = self._reads.get(key)
        if reading is None:
            reading = self._reads[key] = asyncio.create_task(self._replay(after, limit))
            reading.add_done_callback(lambda _: self._reads.pop(key, None))
        return await asyncio.shield(reading)

    async def _replay(self, after: int, limit: int) -> list[Numbered]:
        async with self._replays:
            return await self._read(self.room, after, limit)

    # --- Following ---------------------------------------------------------------------------------

    def follow(self, follower: Follower, position: int) -> None:
        """Brings the follower, who has everything up to position, level and makes it live."""
        self.hand_out()
        if position == self.seq:
            self.live.add(follower)
        else:
            self.behind[follower] = asyncio.create_task(self._bring_level(follower, position))

    def leave(self, follower: Follower) -> None:
        self.live.discard(follower)
        if task := self.behind.pop(follower, None):
            task.cancel()

    async def _bring_level(self, follower: Follower, position: int) -> None:
        """Between the last comparison and the switch to live nothing is awaited: no hole, no double.

        While it waits for the socket it holds no page: the next one is read when the last one was taken.
        """
        limit = REPLAY_LEAST_EVENTS
        try:
            while position != self.seq:
                await follower.emptied()
                before = position
                position = hand_page(follower, await self._page(position, limit), position)
                limit = min(max(2 * (position - before), REPLAY_LEAST_EVENTS), REPLAY_EVENTS)
            self.hand_out()  # what the follower has already is still on its way to the others
            self.behind.pop(follower, None)
            self.live.add(follower)
        except TooSlow:
            follower.close_with(TOO_SLOW)
        except Exception as error:
            logger.warning("room %s: a socket could not be brought level: %s", self.room, error)
            follower.close_with(RESTART)

    async def _page(self, position: int, limit: int) -> list[Numbered]:
        """What comes after that number. Raises LookupError where the log ends before what was handed out."""
        if position == self.seq:  # it has come meanwhile
            return []
        if position > self.seq:
            await asyncio.shield(self.repair())  # who leaves meanwhile does not end it for the others
            if position > self.seq:
                raise LookupError(f"the log ends at {self.seq}, before {position}")
            return []
        page = self.remembered(position) or await self.read(position, limit)
        if not page:
            raise LookupError(f"the log ends at {position}, before {self.seq}")
        return page

    def remembered(self, position: int) -> list[Numbered]:
        """What is remembered after that number; nothing where memory does not reach back that far."""
        return self._memory.after(position)

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """Those that run for it."""
        return [*self.behind.values(), *self._reads.values(), *([self._repair] if self._repair else [])]

    def close(self) -> None:
        """Nobody is told anything here any more: nothing is read, nothing is remembered."""
        for task in self.behind.values():
            task.cancel()
        self._memory.clear()
        if self._timer:
            self._timer.cancel()
        if self._repair:
            self._repair.cancel()

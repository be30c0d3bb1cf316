"""One room's events in this process: put in order, kept for a while, handed to every local socket.

Numbered events (`seq`) are handed out exactly once and in order. A number that was handed out already is
dropped; what is missing is read from the log (repairing.py). Whoever wants to follow a room is brought level
from memory or from the log first: a newcomer, somebody who returns with an old number, and a socket that was
too slow, all by the same function.
"""

import asyncio
import logging
from collections.abc import Iterable
from time import perf_counter
from typing import Any, Final

from realtime import metrics, request_id, tracing
from realtime.audience import Audience, Cast, casts_in, dialect_of, hand_page, in_words
from realtime.bundle import Bundle, bundled, bundles
from realtime.closing import RESTART, TOO_SLOW, Goodbye
from realtime.contract import Dialect, Follower, Numbered, Product, Read
from realtime.failures import contained, report
from realtime.limits import AHEAD_EVENTS, REPLAY_EVENTS, REPLAY_LEAST_EVENTS
from realtime.memory import Memory
from realtime.outbox import TooSlow
from realtime.repairing import Repairing

logger = logging.getLogger(__name__)


NOTHING: Final[dict[int, str]] = {}


class Feed(Repairing):
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
        super().__init__(room, seq, read, replays)
        self.product = product
        self.epoch = epoch
        self.grows = False  # an event may still be written: how far it has come, only the log knows
        self.live = Audience()
        self.behind: dict[Follower, asyncio.Task[None]] = {}
        self._ahead: dict[int, str] = {}  # taken, while numbers before them are missing
        self._fresh: list[Numbered] = []  # taken, and not handed out yet
        self._casts: list[Cast] = []
        self._due = False  # a round is on its way
        self._traced: dict[int, str] = NOTHING  # by number, until it is handed out
        self._memory = Memory()

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
        if seq == self.seq + 1 and not self._ahead:  # as nearly all do
            self._add(Numbered(seq, frame))
            if self._expected > seq:
                self.expect(seq)
            return
        if len(self._ahead) < AHEAD_EVENTS or seq == self.seq + 1:
            self._ahead[seq] = frame
        while (following := self._ahead.pop(self.seq + 1, None)) is not None:
            self._add(Numbered(self.seq + 1, following))
        self.expect(seq)

    def trace(self, seq: int, traceparent: str) -> None:
        """The event of that number, which is about to be taken, belongs to that trace."""
        if seq > self.seq and len(self._traced) < AHEAD_EVENTS:
            self._traced = self._traced | {seq: traceparent}

    def cast(self, frame: str, except_key: str | None = None) -> None:
        """An ephemeral frame, for all who keep up but the person with that key."""
        self._casts.append((frame, except_key))
        self._hand_out_soon()

    def _add(self, event: Numbered) -> None:
        self.seq = event.seq
        if self.product is not None and self.product.rewrites(event.frame):
            self._memory.clear()  # those who return read the log, which has the old data no longer
        self._memory.add(event)
        self._fresh.append(event)
        self._hand_out_soon()

    def _hand_out_soon(self) -> None:
        """Events that come while a round goes out wait for the next one, and are one write to each socket."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self.hand_out, context=request_id.apart())

    def hand_out(self) -> None:
        """Hands everything that was taken to the live sockets."""
        self._due = False
        fresh, self._fresh = self._fresh, []
        casts, self._casts = self._casts, []
        if not (fresh or casts):
            return
        began, listening = perf_counter(), len(self.live)
        for dialect in self.live.dialects:
            try:
                if fresh:
                    self._hand_out_numbered(dialect, fresh)
                if casts:
                    self._hand_out_casts(dialect, casts_in(dialect, casts))
            except Exception as error:  # the dialect has no words for them
                for follower in self.live.of(dialect):
                    self.give_up(follower, error)
        metrics.handed_out.inc(listening * (len(fresh) + len(casts)))
        metrics.hand_out_seconds.observe(perf_counter() - began)
        if self._traced:
            self._tell_traces(perf_counter() - began, listening)

    def _tell_traces(self, seconds: float, listening: int) -> None:
        done = [traceparent for seq, traceparent in self._traced.items() if seq <= self.seq]
        self._traced = {seq: traceparent for seq, traceparent in self._traced.items() if seq > self.seq}
        if tracing.tracer is not None:
            tracing.tracer.handed_out(done, seconds, listening)

    def _hand_out_numbered(self, dialect: Dialect | None, events: list[Numbered]) -> None:
        position = 0
        for bundle in bundled([in_words(dialect, event.frame).encode() for event in events]):
            for follower in self.live.of(dialect):
                try:
                    if not follower.hand(bundle):
                        metrics.fell_behind.inc()
                        self.live.discard(follower)
                        self.follow(follower, events[position].seq - 1)
                except Exception as error:
                    self.give_up(follower, error)
            position += len(bundle.payloads)

    def _hand_out_casts(self, dialect: Dialect | None, casts: list[Cast]) -> None:
        authors = {key for _, key in casts if key}
        shared = list(bundles(frame.encode() for frame, _ in casts))
        for follower in self.live.of(dialect):
            some = shared
            try:
                if authors and (own := follower.key) in authors:
                    some = list(bundles(frame.encode() for frame, key in casts if key != own))
                for bundle in some:
                    follower.offer(bundle)
            except Exception as error:
                self.give_up(follower, error)

    def tell(self, followers: Iterable[Follower], frame: str) -> None:
        """An ephemeral frame, at once, for those of these who are live."""
        for follower in [one for one in followers if one in self.live]:
            with contained("a follower"):
                if words := in_words(dialect_of(follower), frame):
                    follower.offer(Bundle.of(words))

    def give_up(self, follower: Follower, error: Exception) -> None:
        """Sends away a follower that raised: it returns and resumes. The others notice nothing."""
        report("a follower", error)
        self.live.discard(follower)
        with contained("a follower"):
            follower.close_with(RESTART)

    # --- Following ---------------------------------------------------------------------------------

    def follow(self, follower: Follower, position: int) -> None:
        """Makes the follower live, once it has what followed position."""
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
        limit, began = REPLAY_LEAST_EVENTS, perf_counter()
        try:
            while position != self.seq:
                await follower.emptied()
                before = position
                position = hand_page(follower, await self._page(position, limit), position)
                limit = min(max(2 * (position - before), REPLAY_LEAST_EVENTS), REPLAY_EVENTS)
            self.hand_out()  # the follower has it already, the others do not
            self.behind.pop(follower, None)
            self.live.add(follower)
            metrics.catch_up_seconds.observe(perf_counter() - began)
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
            await asyncio.shield(self.repair())  # a follower that leaves does not cancel it for the others
            if position > self.seq:
                raise LookupError(f"the log ends at {self.seq}, before {position}")
            return []
        page, source = self.remembered(position), metrics.FROM_MEMORY
        if not page:
            page, source = await self.read(position, limit), metrics.FROM_LOG
        source.inc()
        if not page:
            raise LookupError(f"the log ends at {position}, before {self.seq}")
        return page

    def remembered(self, position: int) -> list[Numbered]:
        """What is remembered after that number; nothing where memory does not reach back that far."""
        return self._memory.after(position)

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """All that run for it."""
        return [*self.behind.values(), *self.reading]

    def send_away(self, goodbye: Goodbye) -> None:
        """Closes it, and its sockets with it."""
        for follower in [*self.live, *self.behind]:
            with contained("a follower"):
                follower.close_with(goodbye)
        self.close()

    def close(self) -> None:
        """Nothing is handed out, read or remembered any more."""
        for task in self.behind.values():
            task.cancel()
        self._memory.clear()
        self.stop_repairing()

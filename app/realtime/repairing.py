"""What a feed reads from its log: numbers that did not come, and pages for those who lack them.

After a jump in the numbers, those in between have a moment to come by themselves; then they are read.
"""

import asyncio
import logging
from typing import Any

from realtime import metrics, request_id
from realtime.contract import Numbered, Read
from realtime.limits import REORDER_SECONDS, REPLAY_EVENTS, REPLAYS

logger = logging.getLogger(__name__)


class Repairing:
    """What a Feed does to get what it lacks. `checked` is the number that was handed out at the last check."""

    def __init__(self, room: str, seq: int, read: Read, replays: asyncio.Semaphore | None) -> None:
        self.room = room
        self.seq = seq
        self.checked = seq  # a log that ends before it is an older one, restored
        self._expected = seq  # the highest number that was heard of before it came
        self._timer: asyncio.TimerHandle | None = None
        self._repair: asyncio.Task[None] | None = None
        self._repair_again = False
        self._read = read
        self._reads: dict[tuple[int, int, int], asyncio.Task[list[Numbered]]] = {}
        self._replays = replays or asyncio.Semaphore(REPLAYS)  # shared by all rooms of a hub

    def take(self, seq: int, frame: str) -> None:
        raise NotImplementedError

    def check(self, seq: int) -> None:
        """The log's last number is known to be at least this."""
        self.checked = self.seq
        self.expect(seq)

    def repair(self) -> asyncio.Task[None]:
        """Hands out what the log has beyond what was handed out. One task does it for all who ask."""
        if self._repair is None or self._repair.done():
            self._repair = asyncio.create_task(self._catch_up_with_log(), context=request_id.apart())
        else:
            self._repair_again = True  # the caller may know of later numbers than those which it reads
        return self._repair

    def expect(self, seq: int) -> None:
        """Numbers up to this one exist. In a busy room they are on their way: after REORDER_SECONDS they are read."""
        self._expected = max(self._expected, seq)
        if self._expected > self.seq and self._timer is None:
            loop, context = asyncio.get_running_loop(), request_id.apart()
            self._timer = loop.call_later(REORDER_SECONDS, self._overdue, self._expected, context=context)

    def _overdue(self, seq: int) -> None:
        self._timer = None
        if seq > self.seq:
            metrics.BY_LOG.inc()
            self.repair()
        else:
            metrics.BY_ITSELF.inc()
            self.expect(self._expected)  # heard of since the timer was set

    async def _catch_up_with_log(self) -> None:
        try:
            while (page := await self._read(self.room, self.seq, REPLAY_EVENTS)) or self._repair_again:
                self._repair_again = False
                if page and page[0].seq > self.seq + 1:
                    metrics.NEVER.inc()
                    self.seq = page[0].seq - 1  # the log itself has lost those: there is nothing to wait for
                for event in page:
                    self.take(event.seq, event.frame)
        except Exception as error:  # the log cannot be read now; the next check tries again
            metrics.UNREAD.inc()
            logger.warning("room %s: the log could not be read: %s", self.room, error)

    async def read(self, after: int, limit: int) -> list[Numbered]:
        """A page of the log after that number, at least to what was handed out. One query for all who ask at once."""
        key = after, self.seq, limit
        reading = self._reads.get(key)
        if reading is None:
            reading = self._reads[key] = asyncio.create_task(self._replay(after, limit))
            reading.add_done_callback(lambda _: self._reads.pop(key, None))
        return await asyncio.shield(reading)

    async def _replay(self, after: int, limit: int) -> list[Numbered]:
        async with self._replays:
            return await self._read(self.room, after, limit)

    @property
    def reading(self) -> list[asyncio.Task[Any]]:
        """The tasks that read."""
        return [*self._reads.values(), *([self._repair] if self._repair else [])]

    def stop_repairing(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._repair:
            self._repair.cancel()

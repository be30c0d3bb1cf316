"""How much of one socket is read: a share of each turn of the loop, and a rate over all turns.

Every frame counts, whatever it is and whatever becomes of it. A socket that sends more is not read until it may be,
so its sender waits, and nobody else does.
"""

import asyncio
import time
from sys import getsizeof
from typing import Any

from realtime import metrics
from realtime.closing import TOO_FAST
from realtime.conf import settings
from realtime.limits import BURST_SECONDS, FLOOD_SECONDS, REST_SECONDS, TURN_SHARE
from realtime.servers.incoming import Incoming

Message = dict[str, Any]


class Reading:
    """A mixin for both servers' sockets, which say whether there is room, parse, pause and close in their own way."""

    incoming: Incoming
    _resting: asyncio.Handle | None = None  # until it may read on
    _full_at = 0.0  # when the bucket of all frames will be full again
    _too_fast_since: float | None = None

    def has_room(self) -> bool:
        raise NotImplementedError

    def hear(self, content: Message, size: int) -> None:
        raise NotImplementedError

    def parse(self, piece: bytes) -> None:
        raise NotImplementedError

    def pause_reading(self) -> None:
        raise NotImplementedError

    def resume_reading(self) -> None:
        raise NotImplementedError

    def close_unless_closing(self, code: int, reason: str) -> bool:
        """Whether it was open."""
        raise NotImplementedError

    def take_in(self, data: bytes) -> None:
        """Data has come: at most once a turn of the loop, or in pieces that are less than a share together."""
        self.incoming.add(data)
        if self.incoming.share < TURN_SHARE // 2:
            self._new_share()
        self.read_on()

    def read_on(self) -> None:
        """Takes in what has come, as far as the application and the share go. The rest waits in the client."""
        if self._resting is not None:
            return
        incoming = self.incoming
        while self.has_room():
            if incoming.share <= 0 and incoming.waits:
                self._rest()
                return
            piece = incoming.next()
            if piece is None:
                self.resume_reading()
                return
            if isinstance(piece, str):
                self.hear({"text": piece}, getsizeof(piece))
            else:
                self.parse(piece)
        self.pause_reading()

    def stop_reading(self) -> None:
        """The connection has ended."""
        if self._resting is not None:
            self._resting.cancel()

    def _rest(self) -> None:
        """Reads on in the loop's next turn or, where that would be too fast, later."""
        self.pause_reading()
        loop = asyncio.get_running_loop()
        too_early = self._new_share()
        if not too_early:
            self._resting = loop.call_soon(self._rested)
            return
        self._resting = loop.call_later(too_early + REST_SECONDS, self._rested)
        now = time.monotonic()
        if self._too_fast_since is None:
            self._too_fast_since = now
        elif now - self._too_fast_since > FLOOD_SECONDS:
            self._close_too_fast()

    def _close_too_fast(self) -> None:
        if self.close_unless_closing(TOO_FAST.code, TOO_FAST.reason):
            metrics.goodbyes.labels(TOO_FAST.reason).inc()

    def _rested(self) -> None:
        self._resting = None
        if self.incoming.share <= 0:
            self._new_share()
        self.read_on()

    def _new_share(self) -> float:
        """What may be read in one turn, as far as the rate allows. Returns how many seconds too early it is for any."""
        rate, now = settings.FRAME_RATE, time.monotonic()
        self._full_at = max(self._full_at, now) + self.incoming.begun / rate
        self.incoming.begun = 0
        allowed = BURST_SECONDS * rate - (self._full_at - now) * rate
        self.incoming.share = min(TURN_SHARE, int(allowed))
        if allowed > BURST_SECONDS * rate / 2:
            self._too_fast_since = None
        return max(1 - allowed, 0.0) / rate

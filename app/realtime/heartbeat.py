"""The last number of each log, said every SEQ_SECONDS: a client sees that it is connected and has missed nothing."""

import asyncio
from collections import deque
from collections.abc import Callable

from realtime.contract import Product
from realtime.feed import Feed
from realtime.limits import SEQ_SECONDS


class Heartbeat:
    """`feeds` are the hub's own."""

    def __init__(self, feeds: dict[str, Feed], product_of: Callable[[Feed], Product]) -> None:
        self._feeds = feeds
        self._product_of = product_of
        self._loop = asyncio.get_running_loop()
        self._due: deque[tuple[float, Feed]] = deque()

    def begin(self, feed: Feed) -> None:
        """Ends by itself, when the feed is the hub's no longer."""
        self._due.append((self._loop.time() + SEQ_SECONDS, feed))

    def tick(self) -> None:
        """To be called every TICK_SECONDS."""
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            feed = self._due.popleft()[1]
            if self._feeds.get(feed.room) is feed:
                self._due.append((now + SEQ_SECONDS, feed))
                feed.cast(self._product_of(feed).seq_frame(feed.room, feed.seq, feed.epoch))

"""A topic as a stream of server-sent events: for networks without WebSocket, and for curl.

It is a follower as a socket is: the same order, the same repair, the same goodbye. `id` is the position to resume
from, which the browser sends back by itself as Last-Event-ID.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

from realtime import admission, drain, metrics
from realtime.bundle import Bundle
from realtime.closing import LOGIN, UNAVAILABLE, Goodbye
from realtime.feed import Feed
from realtime.limits import EPHEMERAL_BYTES, OUTBOX_BYTES, PING_SECONDS, SLOW_SECONDS
from realtime.outbox import TooSlow
from topics.delivery import frames
from topics.delivery.joining import joined
from topics.delivery.live import PREFIX, TOPICS
from topics.delivery.resume import Snapshot
from topics.delivery.services import LIMITS, Services
from topics.people import shown
from topics.topic import Topic
from topics.who.identity import Identity, at_its_end

KEEP_ALIVE: Final = b": nothing new\n\n"  # a comment
NUMBER: Final = re.compile(rb'\{"type":"(?:event|change|seq)","topic":"(?:[^"\\]|\\.)*","seq":([0-9]+)')


class EventStream:
    """One answer to a GET. To be iterated once: what it gives is the body."""

    product = TOPICS

    def __init__(
        self,
        services: Services,
        topic: Topic,
        identity: Identity,
        snapshot: Snapshot,
        address: str | None = None,
    ) -> None:
        self._services = services
        self._topic = topic
        self.identity = identity
        self.person = identity.person
        self._snapshot = snapshot
        self._address = address  # where it counts
        self._waiting: deque[Bundle] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._goodbye: Goodbye | None = None
        self._feed: Feed | None = None
        self._moved = services.hub.loop.time()

    # --- As a feed sees it -----------------------------------------------------------------------------

    @property
    def key(self) -> str:
        return self.person.key

    @property
    def keeps_up(self) -> bool:
        return not self._waiting

    def hand(self, bundle: Bundle) -> bool:
        if self._waiting and self._bytes + bundle.size > OUTBOX_BYTES:
            return False
        self._append(bundle)
        return True

    def offer(self, bundle: Bundle) -> None:
        if self._bytes > EPHEMERAL_BYTES:
            metrics.outbox_dropped.inc()
        else:
            self._append(bundle)

    async def emptied(self) -> None:
        loop = self._services.hub.loop
        while self._waiting and self._goodbye is None:
            if loop.time() - self._moved > SLOW_SECONDS:
                raise TooSlow
            await asyncio.sleep(0.05)

    def close_with(self, reason: Goodbye) -> None:
        if self._goodbye is None:
            metrics.goodbyes.labels(reason.reason).inc()
            self._goodbye = reason
            self._news.set()

    @property
    def followed(self) -> Sequence[Topic]:
        return [self._topic]

    @property
    def following(self) -> Collection[Feed]:
        return () if self._feed is None else (self._feed,)

    def put_out(self, room: str, reason: Goodbye) -> None:
        self.close_with(reason)

    def _append(self, bundle: Bundle) -> None:
        self._waiting.append(bundle)
        self._bytes += bundle.size
        self._news.set()

    # --- As the server sees it -------------------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if admission.here.full(self._address):  # others came in since it was looked
            yield self._last(UNAVAILABLE)
            return
        admission.here.count(self._address, 1)
        drain.sockets.add(self)
        self._services.hub.present.enter(self, *self.identity.keys)
        feed = self._feed = self._join()
        feed.grows |= self._snapshot.grows
        end = at_its_end(self.identity, lambda: self.close_with(LOGIN))
        try:
            yield self._welcome() + self._joined()
            for frame in self._snapshot.growing:
                yield sent(frame.encode(), None)
            while True:
                while self._waiting:
                    bundle = self._waiting.popleft()
                    yield b"".join(self._worded(feed, payload) for payload in bundle.payloads)
                    self._bytes -= bundle.size
                    self._moved = self._services.hub.loop.time()
                if self._goodbye is not None:
                    yield self._last(self._goodbye)
                    return
                self._news.clear()
                if not await self._something_new():
                    yield KEEP_ALIVE
        finally:
            admission.here.count(self._address, -1)
            if end is not None:
                end.cancel()
            drain.sockets.discard(self)
            self._services.hub.present.leave(self, *self.identity.keys)
            self._services.hub.leave(feed, self)

    async def _something_new(self) -> bool:
        """False where nothing came for so long that somebody in between may take the stream for dead."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                return await self._news.wait()
        except TimeoutError:
            return False

    def _join(self) -> Feed:
        key, snapshot = PREFIX + self._topic.name, self._snapshot
        person = shown(self.person) or {}
        epoch, position = snapshot.epoch, snapshot.position
        return self._services.hub.join(key, self, person, epoch=epoch, position=position, product=TOPICS)

    def _welcome(self) -> bytes:
        """Who one is: another one than the last time, where somebody has logged in meanwhile."""
        return sent(frames.welcome(shown(self.person) or {}, PING_SECONDS, LIMITS).encode(), None)

    def _joined(self) -> bytes:
        frame = joined(self._services.hub, self._topic.name, self._snapshot)
        return sent(frame.encode(), f"{self._snapshot.epoch}/{self._snapshot.position}")

    def _worded(self, feed: Feed, payload: bytes) -> bytes:
        """What has a number is the position from there on; what has none leaves the position as it is."""
        number = NUMBER.match(payload)
        return sent(payload, f"{feed.epoch}/{int(number[1])}" if number else None)

    def _last(self, goodbye: Goodbye) -> bytes:
        retry = b"retry: %d\n" % (goodbye.after_ms or 1_000)
        return retry + sent(goodbye.frame().encode(), None)


def sent(payload: bytes, position: str | None) -> bytes:
    """One event of the stream. JSON has no line ends of its own."""
    id = f"id: {position}\n".encode() if position else b""
    return id + b"data: " + payload + b"\n\n"


def position_of(last_event_id: str) -> tuple[int | None, str | None]:
    """(since, epoch) of an id that a stream gave; what is malformed counts as absent."""
    epoch, _, number = last_event_id.partition("/")
    if number.isascii() and number.isdigit() and len(number) < 19 and len(epoch) <= 32:
        return int(number), epoch
    return None, None

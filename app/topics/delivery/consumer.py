"""One person's socket with any number of topics: ws/, the protocol topics.v1."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Final

from django.db import Error as DatabaseError

from realtime.bundle import Bundle
from realtime.closing import Goodbye
from realtime.feed import Feed
from realtime.limits import PING_SECONDS, TokenBucket
from realtime.rates import Allowance, Limits
from topics import reading, wording
from topics.delivery import frames
from topics.delivery.frames import Cancel, ClientFrame, Join, Leave, Read, Send, Signal
from topics.delivery.joining import joined
from topics.delivery.live import PREFIX, TOPICS
from topics.delivery.resume import Snapshot
from topics.delivery.services import LIMITS, MOST_TOPICS, NO_SUCH_TOPIC, UNAVAILABLE, Denied, denied, topic_of
from topics.delivery.socket import PersonSocket
from topics.people import shown
from topics.routes import find
from topics.storing import database
from topics.storing.log import Outcome, Stored
from topics.topic import Topic
from topics.wording import BadFrame, Ping

JOIN_RATE: Final = 20  # a second and person, once the topics of two sockets have been joined


class TopicsConsumer(PersonSocket):
    subprotocols = (frames.BATCH_PROTOCOL, frames.PROTOCOL)
    batch_subprotocols = frozenset({frames.BATCH_PROTOCOL})

    __slots__ = ("feeds", "joining", "joins")

    def __init__(self) -> None:
        super().__init__()
        self.feeds: dict[str, Feed] = {}  # by topic
        self.joining: dict[str, asyncio.Task[None]] = {}

    @property
    def following(self) -> Collection[Feed]:
        return self.feeds.values()

    # --- Arriving and leaving ----------------------------------------------------------------------

    async def arrived(self, asked: Any) -> None:
        joins: Limits = {f"joins:{self.key}": (JOIN_RATE, 2 * MOST_TOPICS)}
        self.joins = self.services.hub.rates.enter(joins)
        self.outbox.put(frames.welcome(shown(self.person) or {}, PING_SECONDS, LIMITS))

    def ended(self) -> None:
        for task in self.joining.values():
            task.cancel()
        for topic in list(self.feeds):
            self.leave(topic)
        if self.whose:
            super().ended()
            self.services.hub.rates.leave([f"joins:{self.key}"])

    # --- What the client says ------------------------------------------------------------------------

    def parse(self, text: str) -> ClientFrame:
        return frames.parse(text)

    def allowance(self, frame: ClientFrame) -> TokenBucket | Allowance:
        return self.joins if isinstance(frame, Join) else self.bucket

    async def hear(self, frame: ClientFrame) -> None:
        if isinstance(frame, Send):
            await self.send(frame)
        elif isinstance(frame, Signal):
            await self.services.signal(topic_of(frame.topic), self.person, frame.data)
        elif isinstance(frame, Join):
            await self.begin_to_join(frame)
        elif isinstance(frame, Leave):
            await self.asked_to_leave(frame.topic)
        elif isinstance(frame, Read):
            await self.read(frame)
        elif isinstance(frame, Cancel):
            await self.services.cancel(topic_of(frame.topic), self.person, frame.seq)
        elif isinstance(frame, Ping):
            await self.reply(wording.PONG)

    def bad(self, refused: BadFrame) -> str:
        return frames.error(refused.code, refused.detail, topic=refused.topic, id=refused.id)

    def denial(self, frame: ClientFrame, denied: Denied) -> str:
        topic, id = getattr(frame, "topic", None), getattr(frame, "id", None)
        return frames.error(denied.code, denied.detail, topic=topic, id=id, retry_after_ms=denied.retry_after_ms)

    # --- Joining -------------------------------------------------------------------------------------

    async def begin_to_join(self, frame: Join) -> None:
        """Many topics that are joined one after another are looked up together, so none waits for the one before."""
        if frame.topic in self.joining:
            return
        if len(self.feeds) + len(self.joining) >= MOST_TOPICS and frame.topic not in self.feeds:
            raise Denied("too_many_topics", f"A socket has {MOST_TOPICS} topics at most: leave one first.")
        self.leave(frame.topic)
        self.joining[frame.topic] = asyncio.create_task(self.join(frame))

    async def join(self, frame: Join) -> None:
        try:
            topic = topic_of(frame.topic)
            since, epoch = (frame.since, frame.epoch) if frame.epoch is not None else (None, None)
            snapshot = await self.services.join(topic, self.person, since, epoch)
        except Denied as denied:
            self.outbox.put(self.denial(frame, denied), always=True)
        else:
            if not self.outbox.closing:
                self.follow(topic, snapshot)
        finally:
            self.joining.pop(frame.topic, None)

    def follow(self, topic: Topic, snapshot: Snapshot) -> None:
        """Whoever has joined is among the members; nothing can come before `joined`, as nothing is awaited."""
        hub, key = self.services.hub, PREFIX + topic.name
        person = shown(self.person) or {}
        epoch, position = snapshot.epoch, snapshot.position
        feed = hub.join(key, self, person, epoch=epoch, position=position, product=TOPICS)
        self.feeds[topic.name] = feed
        self.outbox.put(joined(hub, topic.name, snapshot), always=True)
        feed.grows |= snapshot.grows
        for frame in snapshot.growing:
            self.offer(Bundle.of(frame))

    @property
    def followed(self) -> Sequence[Topic]:
        return [find(name) for name in self.feeds]

    def put_out(self, room: str, reason: Goodbye) -> None:
        name = room.removeprefix(PREFIX)
        if name in self.feeds:
            self.leave(name)
            self.outbox.put(frames.left(name, reason.reason, reason.detail), always=True)

    async def asked_to_leave(self, topic: str) -> None:
        if task := self.joining.pop(topic, None):
            task.cancel()
        self.leave(topic)
        await self.reply(frames.left(topic, "asked"))

    def leave(self, topic: str) -> None:
        if feed := self.feeds.pop(topic, None):
            self.services.hub.leave(feed, self)

    # --- Sending and reading -------------------------------------------------------------------------

    async def send(self, frame: Send) -> None:
        feed = self.feeds.get(frame.topic)
        epoch = feed.epoch if feed and feed.seq else ""
        sent = await self.services.taken(topic_of(frame.topic), frame.id, self.person, frame.data, epoch)
        if sent is None:
            await self.reply(frames.ack(frame.topic, frame.id, None, None))
        else:
            await self.store(frame, sent)

    def answer(self, frame: Send, outcome: Outcome) -> str:
        if isinstance(outcome, Stored):
            return frames.ack(frame.topic, frame.id, outcome.seq, outcome.at)
        return self.denial(frame, denied(outcome))

    async def read(self, frame: Read) -> None:
        if frame.topic not in self.feeds:
            raise Denied(*NO_SUCH_TOPIC)
        try:
            unread = await database.run(database.readers, reading.read_and_count, frame.topic, self.person, frame.seq)
        except DatabaseError:
            raise Denied(*UNAVAILABLE) from None
        told = frames.unread(frame.topic, unread)
        self.services.hub.tell(PREFIX + frame.topic, told, to=self.key, but=self)
        await self.reply(told)

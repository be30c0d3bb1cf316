"""One person's socket with any number of topics: ws/, the protocol topics.v1."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from django.db import Error as DatabaseError

from realtime.admission import subscriber
from realtime.closing import BAD_FRAMES, LOGIN, Goodbye
from realtime.closing import UNAVAILABLE as AWAY
from realtime.consumer import SocketConsumer
from realtime.feed import Feed
from realtime.limits import BAD_FRAMES_IN_A_ROW, PING_SECONDS
from realtime.rates import Limits
from topics import database, frames, rates, reading, wording
from topics.arrivals import Claim, Forbidden, LoginRequired, claim_of
from topics.data import TooLong, encoded_signal
from topics.errors import BadData, NoSuchTopic
from topics.frames import BadFrame, ClientFrame, Join, Leave, Read, Send, Signal
from topics.gathering import Unanswered
from topics.joining import joined
from topics.live import PREFIX, TOPICS
from topics.log import Outcome, Stored
from topics.people import Person, shown
from topics.routes import find
from topics.services import LIMITS, MOST_TOPICS, NO_SUCH_TOPIC, UNAVAILABLE, Denied, Services, denied
from topics.topic import Topic
from topics.wording import Ping

JOIN_RATE: Final = 20  # a second and person, once the topics of two sockets have been joined
MOST_IN_FLIGHT: Final = 64  # events of one socket on their way into a log; then it is not read any more


class TopicsConsumer(SocketConsumer):
    product = TOPICS
    subprotocols = (frames.BATCH_PROTOCOL, frames.PROTOCOL)
    batch_subprotocols = frozenset({frames.BATCH_PROTOCOL})

    __slots__ = (
        "address",
        "bad_in_a_row",
        "bucket",
        "feeds",
        "in_flight",
        "joining",
        "joins",
        "landed",
        "loop",
        "person",
        "services",
        "session",
        "whose",
    )

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}  # by topic
        self.joining: dict[str, asyncio.Task[None]] = {}
        self.bad_in_a_row = 0
        self.in_flight = 0
        self.landed: asyncio.Future[None] | None = None
        self.whose: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.person.key

    def goodbye_frame(self, reason: Goodbye) -> str:
        return reason.frame()

    # --- Arriving and leaving ----------------------------------------------------------------------

    async def opened(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.services = Services.here()
        claim = claim_of(self.scope)
        self.address = subscriber(self.scope)
        self.scope.clear()  # headers and all, which an idle socket would keep as long as it lives
        if person := await self.admitted(claim):
            self.person = person
            self.session = None if person.guest else claim.session
            limits = rates.limits(person, self.address)
            joins: Limits = {f"joins:{person.key}": (JOIN_RATE, 2 * MOST_TOPICS)}
            self.bucket, self.joins = self.services.hub.rates.enter(limits), self.services.hub.rates.enter(joins)
            self.whose = tuple(limits)
            self.services.hub.present.enter(self)
            self.outbox.put(frames.welcome(shown(person) or {}, PING_SECONDS, LIMITS))

    async def admitted(self, claim: Claim) -> Person | None:
        try:
            return await self.services.arrivals.person(claim)
        except Unanswered:
            self.close_with(AWAY)
        except LoginRequired:
            self.close_with(LOGIN)
        return None

    def ended(self) -> None:
        for task in self.joining.values():
            task.cancel()
        for topic in list(self.feeds):
            self.leave(topic)
        if self.whose:
            self.services.hub.present.leave(self)
            self.services.hub.rates.leave([*self.whose, f"joins:{self.key}"])

    # --- What the client says ------------------------------------------------------------------------

    async def received(self, text: str | None, data: bytes | None) -> None:
        try:
            if text is None:
                raise BadFrame("bad_frame", "Frames are text, not binary.")
            frame = frames.parse(text)
        except BadFrame as bad:
            self.bucket.take(self.loop.time())  # a bad frame costs what a good one does
            await self.refuse(bad)
            return
        bucket = self.joins if isinstance(frame, Join) else self.bucket
        if too_early := bucket.take(self.loop.time()):
            rates.too_fast.inc()
            await self.reply(denial(frame, Denied("rate_limited", "That was too fast.", int(too_early * 1000) + 1)))
            return
        self.bad_in_a_row = 0  # not before: what is refused as too fast forgives nothing
        try:
            await self.hear(frame)
        except Denied as denied:
            await self.reply(denial(frame, denied))

    async def hear(self, frame: ClientFrame) -> None:
        if isinstance(frame, Send):
            await self.send(frame)
        elif isinstance(frame, Signal):
            await self.signal(frame)
        elif isinstance(frame, Join):
            await self.begin_to_join(frame)
        elif isinstance(frame, Leave):
            await self.asked_to_leave(frame.topic)
        elif isinstance(frame, Read):
            await self.read(frame)
        elif isinstance(frame, Ping):
            await self.reply(wording.PONG)

    async def refuse(self, refused: BadFrame) -> None:
        await self.reply(frames.error(refused.code, refused.detail, topic=refused.topic, id=refused.id))
        self.bad_in_a_row += 1
        if self.bad_in_a_row >= BAD_FRAMES_IN_A_ROW:
            self.close_with(BAD_FRAMES)

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
            topic = find(frame.topic)
            since, epoch = (frame.since, frame.epoch) if frame.epoch is not None else (None, None)
            snapshot = await self.services.arrivals.join(topic, self.person, since, epoch)
        except (NoSuchTopic, Forbidden):
            self.outbox.put(denial(frame, Denied(*NO_SUCH_TOPIC)), always=True)
        except (Unanswered, DatabaseError):
            self.outbox.put(denial(frame, Denied(*UNAVAILABLE)), always=True)
        else:
            if not self.outbox.closing:
                self.follow(topic, snapshot)
        finally:
            self.joining.pop(frame.topic, None)

    def follow(self, topic: Topic, snapshot: Any) -> None:
        """Whoever has joined is among the members; nothing can come before `joined`, as nothing is awaited."""
        hub, key = self.services.hub, PREFIX + topic.name
        person = shown(self.person) or {}
        epoch, position = snapshot.epoch, snapshot.position
        feed = hub.join(key, self, person, epoch=epoch, position=position, product=TOPICS)
        self.feeds[topic.name] = feed
        self.outbox.put(joined(hub, topic.name, snapshot), always=True)

    @property
    def followed(self) -> Sequence[Topic]:
        return [find(name) for name in self.feeds]

    def put_out(self, room: str, reason: Goodbye) -> None:
        name = room.removeprefix(PREFIX)
        if name in self.feeds:
            self.leave(name)
            self.outbox.put(frames.left(name, reason.reason), always=True)

    async def asked_to_leave(self, topic: str) -> None:
        if task := self.joining.pop(topic, None):
            task.cancel()
        self.leave(topic)
        await self.reply(frames.left(topic, "asked"))

    def leave(self, topic: str) -> None:
        if feed := self.feeds.pop(topic, None):
            self.services.hub.leave(feed, self)

    # --- Sending -------------------------------------------------------------------------------------

    async def send(self, frame: Send) -> None:
        sent = await self.services.taken(frame.topic, frame.id, self.person, frame.data)
        if sent is None:
            await self.reply(frames.ack(frame.topic, frame.id, None, None))
            return
        while self.in_flight >= MOST_IN_FLIGHT:
            await self.landing()
        if self.outbox.closing:  # who has been told goodbye meanwhile says nothing any more
            return
        self.in_flight += 1
        self.services.writer.append(sent, lambda outcome: self.stored(frame, outcome), self.whose)

    async def signal(self, frame: Signal) -> None:
        await self.services.writable(frame.topic, self.person)
        try:
            text = encoded_signal(frame.data)
        except BadData as bad:
            raise Denied("too_long" if isinstance(bad, TooLong) else "bad_frame", str(bad)) from None
        signal = frames.signal(frame.topic, shown(self.person), text)
        self.services.hub.mention(PREFIX + frame.topic, signal, by=self.key)

    async def landing(self) -> None:
        """Returns when one of those on their way has its outcome."""
        self.landed = self.landed or self.loop.create_future()
        await self.landed

    def stored(self, frame: Send, outcome: Outcome) -> None:
        """What became of an event: acknowledged after COMMIT, or refused with the reason."""
        self.in_flight -= 1
        if self.landed is not None:
            if not self.landed.done():  # it is cancelled where the client went while it waited
                self.landed.set_result(None)
            self.landed = None
        self.outbox.put(answer(frame, outcome), always=True)

    # --- Reading -------------------------------------------------------------------------------------

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


def answer(frame: Send, outcome: Outcome) -> str:
    if isinstance(outcome, Stored):
        return frames.ack(frame.topic, frame.id, outcome.seq, outcome.at)
    return denial(frame, denied(outcome))


def denial(frame: ClientFrame, denied: Denied) -> str:
    topic, id = getattr(frame, "topic", None), getattr(frame, "id", None)
    return frames.error(denied.code, denied.detail, topic=topic, id=id, retry_after_ms=denied.retry_after_ms)

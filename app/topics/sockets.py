"""A socket that follows one topic, in words of its own: for an app with a protocol of its own at a route of its own.

    class RoomSocket(OneTopic):
        dialect = RoomsV1()
        subprotocols = ("rooms.v1",)

        def topic(self, scope):
            return RoomTopic(room=scope["url_route"]["kwargs"]["room"])

        async def hear(self, frame):
            await self.send(frame, frame.id, {"body": frame.body})

    path("ws/room/<room:room>/", RoomSocket.as_asgi())

It is in the same feed as the sockets of ws/, sees the same members, and keeps the same promises. The handshake resumes
by `?since=<seq>&epoch=<epoch>`.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import parse_qs

from realtime.closing import DELETED, FORBIDDEN, NO_SUCH_ROOM, TOO_OFTEN, Goodbye
from realtime.closing import UNAVAILABLE as AWAY
from realtime.consumer import SocketConsumer
from realtime.feed import Feed
from realtime.limits import PING_SECONDS
from topics.delivery.arrivals import Forbidden
from topics.delivery.frames import Shown
from topics.delivery.joining import MEMBERS
from topics.delivery.live import PREFIX, TOPICS
from topics.delivery.resume import Snapshot
from topics.delivery.services import Denied, denied
from topics.delivery.socket import PersonSocket
from topics.people import Person, shown
from topics.routes import shared
from topics.storing.gathering import Unanswered
from topics.storing.log import Outcome, Stored
from topics.topic import Topic
from topics.wording import BadFrame

__all__ = ["Denied", "Dialect", "NoRoute", "OneTopic", "Shown", "Welcome"]


class Welcome(NamedTuple):
    """What a socket is told first. `events` are frames in the dialect, `members` are as `Dialect.people` words them.

    With `recovered` the events are those after the number that the handshake named; else they are the latest, which
    replace what the client had. `epoch` is the log's, also where that is still to be made.
    """

    topic: Any  # what OneTopic.topic gave
    you: Person
    epoch: str
    seq: int
    recovered: bool
    events: list[str]
    members: str
    member_count: int
    ping_seconds: int


class Dialect(ABC):
    """The words of a protocol. Nothing of it knows sockets or the database; one object serves all sockets.

    Frames are texts. Those that a log's followers are sent come as topics.v1 has them, of which `translate` makes the
    dialect's own, once for all who are told: by cutting the text, as the order of fields is topics.delivery.frames'.
    """

    @abstractmethod
    def translate(self, frame: str) -> str:
        """An event, change, more, signal, presence or seq of topics.v1 in the dialect's words.

        Events and changes have always some: numbers have no holes. The empty text says nothing.
        """

    @abstractmethod
    def parse(self, text: str) -> Any:
        """What the client says. Raises BadFrame."""

    @abstractmethod
    def welcome(self, welcome: Welcome) -> str: ...

    @abstractmethod
    def people(self, people: list[Shown]) -> str:
        """Of as many as wording.PEOPLE_BYTES hold: a list."""

    @abstractmethod
    def ack(self, id: str, seq: int | None, at: datetime | None) -> str:
        """Without a number and a time where the topic took it and appended nothing."""

    @abstractmethod
    def error(self, code: str, detail: str, id: str | None = None, retry_after_ms: int | None = None) -> str: ...


class Asked(NamedTuple):
    topic: Topic
    since: int | None
    epoch: str | None


class OneTopic(PersonSocket):
    """Use it as an ASGI application by `as_asgi()`; see the top of this module."""

    dialect: ClassVar[Dialect]

    __slots__ = ("feed", "subject")

    subject: Topic

    def __init__(self) -> None:
        super().__init__()
        self.feed: Feed | None = None

    # --- What a subclass says, and what it may do --------------------------------------------------------

    def topic(self, scope: dict[str, Any]) -> Topic:
        """Which topic the handshake is about."""
        raise NotImplementedError

    async def send(self, frame: Any, id: str, data: Any, by: Person | None = None) -> None:
        """Lets the topic take it, as if it were a `send` of topics.v1. The frame is acknowledged, or refused."""
        epoch = self.feed.epoch if self.feed and self.feed.seq else ""
        sent = await self.services.taken(self.subject, id, by or self.person, data, epoch)
        if sent is None:
            await self.reply(self.dialect.ack(id, None, None))
        else:
            await self.store(frame, sent)

    async def signal(self, data: Any) -> None:
        """Tells the others now. Raises Denied."""
        await self.services.signal(self.subject, self.person, data)

    # --- Arriving and leaving ----------------------------------------------------------------------------

    @property
    def followed(self) -> Sequence[Topic]:
        return () if self.feed is None else (self.subject,)

    @property
    def following(self) -> Collection[Feed]:
        return () if self.feed is None else (self.feed,)

    def asked(self, scope: dict[str, Any]) -> Asked:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return Asked(self.topic(scope), number(query.get("since")), (query.get("epoch") or [None])[0])

    async def arrived(self, asked: Asked) -> None:
        topic, since, epoch = asked
        self.subject = shared(topic)
        if epoch is None:
            since = None
        try:
            snapshot = await self.services.arrivals.join(topic, self.person, since, epoch, self.dialect)
        except Unanswered:
            self.close_with(AWAY)
        except Forbidden as forbidden:
            why = str(forbidden.why)
            self.close_with(FORBIDDEN._replace(detail=why) if why else NO_SUCH_ROOM)
        else:
            try:
                self.services.pay_for(snapshot, self.person)
            except Denied:
                self.close_with(TOO_OFTEN)
            if not self.outbox.closing:
                self.follow(snapshot)

    def follow(self, snapshot: Snapshot) -> None:
        """Whoever has joined is among the members; nothing can come before the welcome, as nothing is awaited."""
        hub, key, person = self.services.hub, PREFIX + self.subject.name, shown(self.person) or {}
        epoch, position = snapshot.epoch_to_be, snapshot.position
        self.feed = hub.join(key, self, person, epoch=epoch, position=position, product=TOPICS)
        self.feed.grows |= snapshot.grows
        members, member_count = hub.presence.members(key, MEMBERS, self.dialect.people)
        welcome = Welcome(
            topic=self.subject,
            you=self.person,
            epoch=epoch,
            seq=snapshot.seq,
            recovered=snapshot.recovered,
            events=snapshot.frames,
            members=members,
            member_count=member_count,
            ping_seconds=PING_SECONDS,
        )
        self.outbox.put(self.dialect.welcome(welcome))

    def ended(self) -> None:
        if self.feed is not None:
            self.services.hub.leave(self.feed, self)
        super().ended()

    def put_out(self, room: str, reason: Goodbye) -> None:
        self.close_with(NO_SUCH_ROOM if reason is DELETED else reason)

    # --- In the dialect's words ----------------------------------------------------------------------------

    def parse(self, text: str) -> Any:
        return self.dialect.parse(text)

    def bad(self, refused: BadFrame) -> str:
        return self.dialect.error(refused.code, refused.detail, refused.id)

    def denial(self, frame: Any, denied: Denied) -> str:
        return self.dialect.error(denied.code, denied.detail, getattr(frame, "id", None), denied.retry_after_ms)

    def answer(self, frame: Any, outcome: Outcome) -> str:
        if isinstance(outcome, Stored):
            return self.dialect.ack(outcome.id, outcome.seq, outcome.at)
        return self.denial(frame, denied(outcome))


class NoRoute(SocketConsumer):
    """Whatever is no route: accepted, told so, and closed for good."""

    def goodbye_frame(self, reason: Goodbye) -> str:
        return reason.frame()

    async def opened(self) -> None:
        self.close_with(NO_SUCH_ROOM)


LONGEST_NUMBER: Final = 18  # digits


def number(values: list[str] | None) -> int | None:
    """The one whole number that was given; what is malformed counts as absent."""
    text = values[0] if values and len(values) == 1 else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None

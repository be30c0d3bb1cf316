"""One person's socket in one room: welcomes, takes what is said, answers."""

import asyncio
from typing import Final

from django.conf import settings

from realtime.admission import subscriber
from realtime.closing import BAD_FRAMES, LOGIN, NO_SUCH_ROOM, RESTART, TOO_OFTEN, UNAVAILABLE, Goodbye
from realtime.consumer import SocketConsumer
from realtime.feed import Feed
from realtime.limits import BAD_FRAMES_IN_A_ROW, PING_SECONDS
from rooms import frames, live, log
from rooms.arrivals import Arrivals, LoginRequired, NoSuchRoom, arrival
from rooms.frames import BadFrame, Say, Typing
from rooms.log import Entry, Outcome, Stored
from rooms.making import Birth, TooManyRooms
from rooms.snapshots import Snapshot
from rooms.writer import RETRY_AFTER_MS, Writer
from topics import outcomes, rates, wording
from topics.gathering import Unanswered
from topics.wording import Ping

MEMBERS: Final = 100  # in `welcome`; the rest is a number
MOST_IN_FLIGHT: Final = 64  # messages of one socket on their way into the log; then it is not read any more
TYPING_SECONDS: Final = 1  # between two `typing` of one socket that are passed on

LIMITS: Final = {"body": frames.MAX_BODY, "per_second": settings.MESSAGE_RATE, "burst": settings.MESSAGE_BURST}


class RoomConsumer(SocketConsumer):
    product = live.ROOMS
    subprotocols = (frames.BATCH_PROTOCOL, frames.PROTOCOL)
    batch_subprotocols = frozenset({frames.BATCH_PROTOCOL})

    __slots__ = (
        "address",
        "bad_in_a_row",
        "birth",
        "bucket",
        "feed",
        "hub",
        "in_flight",
        "landed",
        "loop",
        "person",
        "room",
        "session",
        "typed_at",
        "whose",
        "writer",
    )

    def __init__(self) -> None:
        self.feed: Feed | None = None
        self.bad_in_a_row = 0
        self.in_flight = 0
        self.typed_at = 0.0
        self.landed: asyncio.Future[None] | None = None

    @property
    def key(self) -> str:
        return self.person.key

    def goodbye_frame(self, reason: Goodbye) -> str:
        return reason.frame()

    def close_with(self, reason: Goodbye) -> None:
        if reason is NO_SUCH_ROOM and self.feed is not None:
            Arrivals.here(self.hub).forget(self.room)
        super().close_with(reason)

    # --- Arriving and leaving ----------------------------------------------------------------------

    async def opened(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.hub = live.hub()
        self.writer = Writer.here(self.hub)
        claim = arrival(self.scope)
        self.address = subscriber(self.scope)
        self.scope.clear()  # headers and all, which an idle socket would keep as long as it lives
        try:
            self.room, self.person, snapshot = await Arrivals.here(self.hub).admit(claim)
        except Unanswered:
            self.close_with(UNAVAILABLE)
        except LoginRequired:
            self.close_with(LOGIN)
        except NoSuchRoom:
            self.close_with(NO_SUCH_ROOM)
        else:
            self.session = None if self.person.guest else claim.session
            if snapshot.position < snapshot.seq and self.replays_too_often():
                self.close_with(TOO_OFTEN)
            if not self.outbox.closing:
                self.join(snapshot)

    def replays_too_often(self) -> bool:
        """A handshake of some bytes that asks for much of the log has its price."""
        if early := self.hub.rates.take_once(rates.replays(self.person, self.address)):
            rates.too_often.inc()
        return bool(early)

    def join(self, snapshot: Snapshot) -> None:
        """Whoever has joined is among the members; nothing can come before the welcome, as nothing is awaited."""
        limits = rates.limits(self.person, self.address)
        self.bucket = self.hub.rates.enter(limits)
        self.whose = tuple(limits)
        self.birth = None if self.room.is_made else Birth(self.room, self.address)
        room = str(self.room.pk)
        person = self.person.as_dict()
        epoch, position = snapshot.epoch, snapshot.position
        self.feed = self.hub.join(room, self, person, epoch=epoch, position=position, product=live.ROOMS)
        self.outbox.put(self.welcome(snapshot))

    def welcome(self, snapshot: Snapshot) -> str:
        members, member_count = self.hub.presence.members(str(self.room.pk), MEMBERS, frames.people)
        return frames.welcome(
            room=self.room.name,
            you=self.person.as_dict(),
            key=self.person.public_key,
            epoch=snapshot.epoch,
            seq=snapshot.seq,
            recovered=snapshot.recovered,
            messages=snapshot.frames,
            members=members,
            member_count=member_count,
            ping_seconds=PING_SECONDS,
            limits=LIMITS,
        )

    def ended(self) -> None:
        if self.feed is not None:
            self.hub.leave(self.feed, self)
            self.hub.rates.leave(self.whose)

    # --- What the client says ------------------------------------------------------------------------

    async def received(self, text: str | None, data: bytes | None) -> None:
        try:
            if text is None:
                raise BadFrame("bad_frame", "Frames are text, not binary.")
            frame = frames.parse(text)
        except BadFrame as refused:
            self.bucket.take(self.loop.time())  # a bad frame costs what a good one does
            await self.refuse(refused)
            return
        if too_early := self.bucket.take(self.loop.time()):
            retry_after_ms = int(too_early * 1000) + 1
            rates.too_fast.inc()
            id = frame.id if isinstance(frame, Say) else None
            await self.reply(frames.error("rate_limited", "That was too fast.", id, retry_after_ms))
            return
        self.bad_in_a_row = 0  # not before: what is refused as too fast forgives nothing
        if isinstance(frame, Say):
            if self.in_flight >= MOST_IN_FLIGHT:
                await self.landing()
            if not self.outbox.closing:  # who has been told goodbye meanwhile says nothing any more
                self.say(frame)
        elif isinstance(frame, Typing):
            self.typing()
        elif isinstance(frame, Ping):
            await self.reply(wording.PONG)

    async def refuse(self, refused: BadFrame) -> None:
        await self.reply(frames.error(refused.code, refused.detail, refused.id))
        self.bad_in_a_row += 1
        if self.bad_in_a_row >= BAD_FRAMES_IN_A_ROW:
            self.close_with(BAD_FRAMES)

    async def landing(self) -> None:
        """Returns when there is room for one more message on its way."""
        while self.in_flight >= MOST_IN_FLIGHT:
            self.landed = self.landed or self.loop.create_future()
            await self.landed

    def say(self, frame: Say) -> None:
        self.in_flight += 1
        entry = Entry(self.room.pk, frame.id, self.person, frame.body, self.birth)
        self.writer.append(entry, lambda outcome: self.said(frame.id, outcome), self.whose)

    def said(self, id: str, outcome: Outcome) -> None:
        """What became of a message: acknowledged after COMMIT, or refused with the reason."""
        self.in_flight -= 1
        if self.landed is not None:
            if not self.landed.done():  # it is cancelled where the client went while it waited
                self.landed.set_result(None)
            self.landed = None
        self.outbox.put(answer(id, outcome), always=True)
        if isinstance(outcome, log.Elsewhere):
            self.close_with(RESTART)

    def typing(self) -> None:
        now = self.loop.time()
        if now - self.typed_at >= TYPING_SECONDS:
            self.typed_at = now
            self.hub.mention(str(self.room.pk), frames.typing(self.person.as_dict()), by=self.key)


def answer(id: str, outcome: Outcome) -> str:
    if isinstance(outcome, Stored):
        return frames.ack(id, outcome.seq, outcome.at)
    if isinstance(outcome, log.Conflict):
        return frames.error("bad_frame", "You have said something else with this id.", id)
    if isinstance(outcome, outcomes.TooMuch):
        return frames.error("rate_limited", "Too much of yours waits to be stored.", id, RETRY_AFTER_MS)
    if isinstance(outcome, TooManyRooms):
        return frames.error("too_many_rooms", str(outcome), id)
    if isinstance(outcome, outcomes.Removed):
        return frames.error("forbidden", "The room, or your account, has been removed.", id)
    if isinstance(outcome, outcomes.Unstorable):
        return frames.error("bad_frame", "This text cannot be stored here.", id)
    return frames.error("unavailable", "It could not be stored now: send it again.", id, RETRY_AFTER_MS)


class NoRoute(SocketConsumer):
    """Whatever is no route: accepted, told so, and closed for good."""

    def goodbye_frame(self, reason: Goodbye) -> str:
        return reason.frame()

    async def opened(self) -> None:
        self.close_with(NO_SUCH_ROOM)

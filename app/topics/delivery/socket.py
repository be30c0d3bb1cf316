"""One person's socket, whatever it follows: who that is, what is taken of what the client says, and how much."""

import asyncio
from typing import Any, Final

from django.utils import translation

from realtime import tracing
from realtime.admission import subscriber
from realtime.closing import BAD_FRAMES, LOGIN, Goodbye
from realtime.closing import UNAVAILABLE as AWAY
from realtime.consumer import SocketConsumer
from realtime.limits import BAD_FRAMES_IN_A_ROW, TokenBucket
from realtime.rates import Allowance
from topics import rates
from topics.delivery.arrivals import claim_of
from topics.delivery.live import TOPICS
from topics.delivery.sending import Sent
from topics.delivery.services import TOO_FAST, Denied, Services, too_early
from topics.people import Person
from topics.storing.gathering import Unanswered
from topics.storing.log import Outcome, Stored
from topics.tokens.authentication import LoginRequired
from topics.who.identity import at_its_end
from topics.who.language import language_of
from topics.wording import BadFrame

MOST_IN_FLIGHT: Final = 64  # events of one socket on their way into a log; then it is not read any more


class PersonSocket(SocketConsumer):
    """Subclasses say what they are `asked` by the handshake, what happens when the person has `arrived`, what a frame
    means (`parse`, `hear`), and how it is answered.
    """

    product = TOPICS

    __slots__ = (
        "bad_in_a_row",
        "bucket",
        "end",
        "identity",
        "in_flight",
        "landed",
        "language",
        "loop",
        "services",
        "whose",
    )

    def __init__(self) -> None:
        self.bad_in_a_row = 0
        self.in_flight = 0
        self.landed: asyncio.Future[None] | None = None
        self.whose: tuple[str, ...] = ()
        self.end: asyncio.TimerHandle | None = None  # where the identity ends by itself

    # --- What a subclass says --------------------------------------------------------------------------

    def asked(self, scope: dict[str, Any]) -> Any:
        """What the handshake asks for beside who it is from; the scope is not kept."""

    async def arrived(self, asked: Any) -> None:
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """The frame. Raises BadFrame."""
        raise NotImplementedError

    def bad(self, refused: BadFrame) -> str:
        """The answer to a frame that is none."""
        raise NotImplementedError

    async def hear(self, frame: Any) -> None:
        """Does what the frame says. Raises Denied."""
        raise NotImplementedError

    def denial(self, frame: Any, denied: Denied) -> str:
        raise NotImplementedError

    def answer(self, frame: Any, outcome: Outcome) -> str:
        """What its author is told has become of an event."""
        raise NotImplementedError

    def allowance(self, frame: Any) -> TokenBucket | Allowance:
        """What the frame takes from."""
        return self.bucket

    # --- Arriving and leaving --------------------------------------------------------------------------

    @property
    def person(self) -> Person:
        return self.identity.person

    @property
    def key(self) -> str:
        return self.identity.person.key

    def goodbye_frame(self, reason: Goodbye) -> str:
        return reason.frame()

    async def opened(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.services = Services.here()
        claim, address, asked = claim_of(self.scope), subscriber(self.scope), self.asked(self.scope)
        self.language = language_of(self.scope)
        self.scope.clear()  # headers and all, which an idle socket would keep as long as it lives
        if self.language != translation.get_language():
            translation.activate(self.language)  # for this task, which is the socket's, and so for whatever it says
        try:
            self.identity = await self.services.arrivals.identity(claim, address)
        except Unanswered:
            self.close_with(AWAY)
        except LoginRequired:
            self.close_with(LOGIN)
        else:
            self.end = at_its_end(self.identity, lambda: self.close_with(LOGIN))
            limits = rates.limits(self.person)
            self.bucket = self.services.hub.rates.enter(limits)
            self.whose = tuple(limits)
            self.services.hub.present.enter(self, *self.identity.keys)
            await self.arrived(asked)

    def ended(self) -> None:
        if self.end is not None:
            self.end.cancel()
        if self.whose:
            self.services.hub.present.leave(self, *self.identity.keys)
            self.services.hub.rates.leave(self.whose)

    # --- What the client says --------------------------------------------------------------------------

    async def received(self, text: str | None, data: bytes | None) -> None:
        try:
            if text is None:
                raise BadFrame("bad_frame", "Frames are text, not binary.")
            frame = self.parse(text)
        except BadFrame as refused:
            self.bucket.take(self.loop.time())  # a bad frame costs what a good one does
            await self.refuse(refused)
            return
        if seconds := self.allowance(frame).take(self.loop.time()):
            rates.too_fast.inc()
            await self.reply(self.denial(frame, too_early(TOO_FAST, seconds)))
            return
        self.bad_in_a_row = 0  # not before: what is refused as too fast forgives nothing
        try:
            await (self.hear(frame) if tracing.tracer is None else tracing.tracer.heard(self.hear, frame))
        except Denied as denied:
            await self.reply(self.denial(frame, denied))

    async def refuse(self, refused: BadFrame) -> None:
        await self.reply(self.bad(refused))
        self.bad_in_a_row += 1
        if self.bad_in_a_row >= BAD_FRAMES_IN_A_ROW:
            self.close_with(BAD_FRAMES)

    # --- What goes into a log --------------------------------------------------------------------------

    async def store(self, frame: Any, sent: Sent) -> None:
        while self.in_flight >= MOST_IN_FLIGHT:
            await self.landing()
        if self.outbox.closing:  # who has been told goodbye meanwhile says nothing any more
            return
        self.in_flight += 1
        self.services.writer.append(sent, lambda outcome: self.stored(frame, outcome), self.whose)

    async def landing(self) -> None:
        """Returns when one of those on their way has its outcome."""
        self.landed = self.landed or self.loop.create_future()
        await self.landed

    def stored(self, frame: Any, outcome: Outcome) -> None:
        """What became of an event: acknowledged after COMMIT, or refused with the reason."""
        self.in_flight -= 1
        if self.landed is not None:
            if not self.landed.done():  # it is cancelled where the client went while it waited
                self.landed.set_result(None)
            self.landed = None
        if isinstance(outcome, Stored):
            self.outbox.put(self.answer(frame, outcome), always=True)
            return
        with translation.override(self.language):  # the task is the writer's
            self.outbox.put(self.answer(frame, outcome), always=True)

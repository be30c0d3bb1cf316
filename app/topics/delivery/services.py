"""What all sockets and requests of a loop share."""

import logging
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from django.db import Error as DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime import hubs, registry
from realtime.hub import Hub
from realtime.limits import TokenBucket
from realtime.rates import Limits
from topics import rates
from topics.data import MAX_DATA_BYTES, SIGNAL_BYTES, TooLong, encoded, encoded_signal
from topics.delivery import frames, traced
from topics.delivery.arrivals import Arrivals, Forbidden
from topics.delivery.live import PREFIX, TOPICS
from topics.delivery.looking import Looker
from topics.delivery.resume import Snapshot
from topics.delivery.sending import Sent
from topics.errors import BadData, NoSuchTopic, Refused
from topics.growing import grown, keeper
from topics.news import News
from topics.people import Person, shown
from topics.permission import KEPT_SECONDS, NO, READ, WRITE, may, received, refusal
from topics.routes import find
from topics.storing import database
from topics.storing.gathering import Unanswered
from topics.storing.log import Differs, Outcome
from topics.storing.outcomes import Removed, TooMuch, Unstorable
from topics.storing.writer import RETRY_AFTER_MS
from topics.topic import Topic
from topics.who.scope import Scope

logger = logging.getLogger(__name__)

MOST_TOPICS: Final = 100  # of one socket
LIMITS: Final = {"topics": MOST_TOPICS, "data_bytes": MAX_DATA_BYTES, "signal_bytes": SIGNAL_BYTES}
MOST_REMEMBERED: Final = 10_000  # buckets, and answers of `may`
BURST: Final = 2  # seconds' worth at once
TOO_FAST: Final = gettext_lazy("That was too fast.")


class Denied(Exception):
    """What somebody sends is not taken: `code` for programs, `detail` for people.

    A lazy translation becomes words in the language that is in use where this is raised.
    """

    def __init__(self, code: str, detail: object, retry_after_ms: int | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.retry_after_ms = code, str(detail), retry_after_ms


class Barred(Denied):
    """The topic has said why the person may not."""


NO_SUCH_TOPIC: Final = ("no_such_topic", gettext_lazy("There is no such topic for you."))
NOT_UNDERSTOOD: Final = ("refused", gettext_lazy("This could not be understood."))
UNAVAILABLE: Final = ("unavailable", gettext_lazy("It could not be done now: send it again."), RETRY_AFTER_MS)


class Counted(Protocol):
    def inc(self) -> None: ...


def too_early(detail: object, seconds: float) -> Denied:
    return Denied("rate_limited", detail, int(seconds * 1000) + 1)


def barred(why: Refused) -> Denied:
    """Who may not read a topic is told that there is none, or else the reason that the topic gives."""
    return Barred(why.code, str(why)) if str(why) else Denied(*NO_SUCH_TOPIC)


def refused(why: Refused) -> Denied:
    return Denied(why.code, str(why), None if why.retry_after is None else int(why.retry_after * 1000) + 1)


def topic_of(name: str) -> Topic:
    """The topic of that name. Raises Denied."""
    try:
        return find(name)
    except NoSuchTopic:
        raise Denied(*NO_SUCH_TOPIC) from None


def denied(outcome: Outcome) -> Denied:
    """Why something was not stored."""
    if isinstance(outcome, Refused):
        return refused(outcome)
    if isinstance(outcome, TooMuch):
        return Denied("rate_limited", _("Too much of yours waits to be stored."), RETRY_AFTER_MS)
    if isinstance(outcome, Differs):
        return Denied("conflict", _("You have used this id for another event."))
    if isinstance(outcome, Removed):
        return Denied("forbidden", _("The topic, or your account, has been removed."))
    if isinstance(outcome, Unstorable):
        return Denied("bad_frame", _("This cannot be stored."))
    return Denied(*UNAVAILABLE)


class Services:
    """One per loop."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.writer = traced.writer(hub)
        self.arrivals = Arrivals(hub)
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._known_to_write: dict[tuple[str, Scope | None, str], float] = {}  # until when that is known

    @classmethod
    def here(cls) -> "Services":
        return registry.here().get(cls, lambda: cls(hubs.here(TOPICS)))

    async def finish(self) -> None:
        await self.writer.finish()

    async def close(self) -> None:
        await self.writer.close()
        await self.arrivals.close()

    async def join(self, topic: Topic, person: Person, since: int | None, epoch: str | None) -> Snapshot:
        """What who joins is told first. Raises Denied."""
        try:
            snapshot = await self.arrivals.join(topic, person, since, epoch)
        except Forbidden as forbidden:
            raise barred(forbidden.why) from None
        except (Unanswered, DatabaseError):
            raise Denied(*UNAVAILABLE) from None
        self.pay_for(snapshot, person)
        if isinstance(topic, News):
            registry.here().get(Looker, Looker).go()
        return snapshot

    def pay_for(self, snapshot: Snapshot, person: Person) -> None:
        """Some bytes that ask for more of the log than the first frame holds have their price. Raises Denied."""
        if snapshot.position < snapshot.seq:
            self.take(rates.replays(person), rates.too_often, _("You have asked for too much that was missed."))

    def take(self, limits: Limits, counter: Counted, detail: object) -> None:
        """One of what these limits let through, for who has no socket under them. Raises Denied."""
        if seconds := self.hub.rates.take_once(limits):
            counter.inc()
            raise too_early(detail, seconds)

    async def taken(self, topic: Topic, id: str, person: Person, data: Any, epoch: str = "") -> Sent | None:
        """What is to be appended of what the person sends; None where the topic appends nothing. Raises Denied.

        `epoch`: of the log that is followed by where the person sends from, if any.
        """
        if topic.rate or not self._is_known_to_write(topic, person):  # else there is no reason for a coroutine more
            await self.writable(topic, person)
        try:
            answer = await received(topic, person, data)
            return None if answer is None else Sent(topic, id, person, encoded(answer), epoch)
        except Refused as why:
            raise refused(why) from None
        except BadData as bad:
            raise Denied("bad_frame", str(bad)) from None
        except DatabaseError:
            raise Denied(*UNAVAILABLE) from None
        except Exception:
            logger.exception("%s could not take what it was sent", type(topic).__name__)
            raise Denied(*NOT_UNDERSTOOD) from None

    async def cancel(self, topic: Topic, person: Person, seq: int) -> None:
        """Stops an event that grows, for whoever may write. Raises Denied."""
        await self.writable(topic, person)
        if not await _known(database.run(database.readers, grown.cancel, topic.name, seq)):
            raise Denied("not_growing", f"Event {seq} is not being written, or has ended: its change says how.")
        self.hub.call(keeper.CALL)

    async def signal(self, topic: Topic, person: Person, data: Any) -> None:
        """Tells whoever follows the topic now, but the person. Raises Denied."""
        await self.writable(topic, person)
        try:
            text = encoded_signal(data)
        except BadData as bad:
            raise Denied("too_long" if isinstance(bad, TooLong) else "bad_frame", str(bad)) from None
        self.hub.mention(PREFIX + topic.name, frames.signal(topic.name, shown(person), text), by=person.key)

    async def writable(self, topic: Topic, person: Person) -> None:
        """Raises Denied where the person may not write now: as if there were no topic where she may not read it."""
        if not (self._is_known_to_write(topic, person) or await self._may_write(topic, person)):
            raise await self._no(topic, person)
        if topic.rate and (seconds := self._bucket(topic.rate, topic, person).take(self.hub.loop.time())):
            detail = _("Here a person sends {most} a second at most.").format(most=topic.rate)
            raise too_early(detail, seconds)

    async def _no(self, topic: Topic, person: Person) -> Denied:
        """Why the person may not write."""
        why = await _known(refusal(topic, person, WRITE))
        if (why is None or not str(why)) and await _known(may(topic, person, READ)):
            return Denied("forbidden", _("You may read this topic only."))
        return barred(why or NO)

    def _is_known_to_write(self, topic: Topic, person: Person) -> bool:
        """Yes is kept for a moment; no is asked anew."""
        return self._known_to_write.get((person.key, person.scope, topic.name), 0.0) > self.hub.loop.time()

    async def _may_write(self, topic: Topic, person: Person) -> bool:
        identity, now = (person.key, person.scope, topic.name), self.hub.loop.time()
        if not await _known(may(topic, person, WRITE)):
            self._known_to_write.pop(identity, None)
            return False
        if len(self._known_to_write) >= MOST_REMEMBERED:
            self._known_to_write.clear()
        self._known_to_write[identity] = now + KEPT_SECONDS
        return True

    def _bucket(self, rate: int, topic: Topic, person: Person) -> TokenBucket:
        """One a person and topic, over all of her sockets here."""
        identity = person.key, topic.name
        if identity not in self._buckets:
            if len(self._buckets) >= MOST_REMEMBERED:
                self._buckets.clear()
            self._buckets[identity] = TokenBucket(rate, rate * BURST)
        return self._buckets[identity]


async def _known(answer: Awaitable[Any]) -> Any:
    """What a topic's own code answers. Raises Denied where its database does not."""
    try:
        return await answer
    except DatabaseError:
        raise Denied(*UNAVAILABLE) from None

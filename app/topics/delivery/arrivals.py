"""Whoever opens a socket for topics, and joins some: who that is, and what is to be shown there.

A crowd takes as few queries as somebody alone, and so does somebody who joins many topics.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import parse_cookie

from realtime.contract import Dialect
from realtime.hub import Hub
from topics.conf import settings
from topics.delivery.live import PREFIX
from topics.delivery.resume import Snapshot, Wish, remembered, snapshots
from topics.errors import Refused
from topics.people import COOKIE, Person, guest_of
from topics.permission import NO, READ, is_async, refusal, refusal_now
from topics.storing import faults, logs
from topics.storing.gathering import Gathering, Unanswered
from topics.storing.unread import unread
from topics.tokens.authentication import LoginRequired, NotValid, bearer_of, by_callables, has_callables
from topics.tokens.tokens import identities, is_ours
from topics.who.identity import Identity
from topics.who.sessions import people_of

if TYPE_CHECKING:
    from topics.topic import Topic

logger = logging.getLogger(__name__)

TOGETHER: Final = 100  # topics joined in one lookup: as many as a socket may have


class Forbidden(Exception):
    """The person may not read the topic, or there is none: which, cannot be told unless `why` has a sentence."""

    def __init__(self, why: Refused = NO) -> None:
        super().__init__(str(why))
        self.why = why


class Claim(NamedTuple):
    """Who a handshake or a request says that it is. Nothing of it is proved."""

    session: str | None
    guest: str | None
    bearer: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


def claim_of(scope: dict[str, Any]) -> Claim:
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    cookies = parse_cookie(header.decode("latin-1"))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    bearer = bearer_of(scope["headers"], scope.get("subprotocols") or ())
    session = session if session and session.isprintable() else None
    headers = tuple(scope["headers"]) if has_callables() else ()
    return Claim(session, cookies.get(COOKIE), bearer, headers)


class Visit(NamedTuple):
    """Somebody who wants to join a topic. `asked`: whether she may read it has been asked already."""

    topic: "Topic"
    person: Person
    since: int | None
    epoch: str | None
    dialect: Dialect | None
    asked: bool


class Arrivals:
    """One per hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._people: Gathering[str, Person | None] = Gathering(_people)
        self._bearers: Gathering[str, Identity | None] = Gathering(identities)
        self._visits: Gathering[Visit, Snapshot] = Gathering(_shown, TOGETHER)

    async def close(self) -> None:
        await self._people.close()
        await self._bearers.close()
        await self._visits.close()

    async def identity(self, claim: Claim, address: str) -> Identity:
        """Raises LoginRequired, or Unanswered."""
        if without_cookie := await self.without_cookie(claim, address):
            return without_cookie
        found = await self._people.ask(claim.session) if claim.session else None
        if found is not None:
            return Identity(replace(found, address=address), session=claim.session)
        if not settings.ALLOW_GUESTS:
            raise LoginRequired
        return Identity(replace(guest_of(claim.guest), address=address))

    async def without_cookie(self, claim: Claim, address: str) -> Identity | None:
        """None where cookies count. Raises NotValid, or Unanswered."""
        if claim.bearer is not None and is_ours(claim.bearer):
            found = await self._bearers.ask(claim.bearer)
        else:
            try:
                found = await by_callables(claim.bearer, claim.headers)
            except DatabaseError as error:
                raise Unanswered from error
        if found is None and claim.bearer is not None:
            raise NotValid
        return found and found._replace(person=replace(found.person, address=address))

    async def join(
        self, topic: "Topic", person: Person, since: int | None, epoch: str | None, dialect: Dialect | None = None
    ) -> Snapshot:
        """Raises Forbidden, or Unanswered.

        No query is needed for who comes back, to a topic that decides without one who may read it, and was away for no
        more than is remembered here of it: the epoch proves that it is the same log.
        """
        asked = is_async(type(topic).may)
        if asked and (why := await refusal(topic, person, READ)):
            raise Forbidden(why)
        if asked and since is not None and epoch and not topic.count_unread:
            missed = self._hub.remembered(PREFIX + topic.name, epoch, since)
            if missed is not None:
                return remembered(epoch, since, missed, dialect)
        return await self._visits.ask(Visit(topic, person, since, epoch, dialect, asked))


# --- In a thread ---------------------------------------------------------------------------------------


def _people(sessions: Sequence[str]) -> list[Person | None]:
    found = people_of(set(sessions))
    return [found.get(session) for session in sessions]


def _shown(visits: Sequence[Visit]) -> list[Snapshot | Forbidden | Unanswered]:
    """What became of each, in order. One that the database cannot digest is found by halving: it hinders no other."""
    try:
        return list(_together(visits))
    except (OperationalError, InterfaceError):
        raise  # it is nobody's fault
    except (DatabaseError, ValueError, LookupError) as error:
        if len(visits) == 1:
            logger.warning("somebody cannot join %s: %s", visits[0].topic.name, error)
            return [Forbidden() if faults.is_permanent(error) else Unanswered(str(error))]
        half = len(visits) // 2
        return _shown(visits[:half]) + _shown(visits[half:])


def _together(visits: Sequence[Visit]) -> Sequence[Snapshot | Forbidden]:
    unasked = {visit for visit in visits if not visit.asked}
    refused = {visit: why for visit in unasked if (why := refusal_now(visit.topic, visit.person, READ))}
    admitted = set(visits) - refused.keys()
    wishes = {visit: Wish(visit.topic.name, visit.since, visit.epoch, visit.dialect) for visit in admitted}
    shown = snapshots(set(wishes.values()))
    counted = _unread({visit: shown[wish] for visit, wish in wishes.items() if visit.topic.count_unread})
    return [
        shown[wishes[visit]]._replace(unread=counted.get(visit)) if visit in admitted else Forbidden(refused[visit])
        for visit in visits
    ]


def _unread(shown: dict[Visit, Snapshot]) -> dict[Visit, int]:
    """One query for all, and none where no topic counts. A log that is not made yet has nothing to read."""
    asked = {
        visit: (key, visit.person.key)
        for visit, snapshot in shown.items()
        if snapshot.epoch and (key := logs.known(visit.topic.name))
    }
    found = unread(asked.values())
    return {visit: found[asked[visit]] if visit in asked else 0 for visit in shown}

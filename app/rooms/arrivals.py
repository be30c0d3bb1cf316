"""Whoever opens a socket: who that is, which room it is, and what is to be shown there.

A crowd takes as few queries as somebody alone. No query at all is needed for a guest who returns to a room
that has sockets here and was away for no more than it remembers: the epoch proves that it is the same log,
and the signature that it is the same guest.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import parse_cookie

from realtime import registry
from realtime.hub import Hub
from rooms.models import Room
from rooms.snapshots import Snapshot, Wish, resumed, snapshots
from topics import faults
from topics.gathering import Gathering, Unanswered
from topics.people import COOKIE, Person, guest_of
from topics.sessions import people_of

logger = logging.getLogger(__name__)

MOST_KNOWN: Final = 10_000  # rooms whose keys are remembered


class LoginRequired(Exception):
    """Guests may not come in."""


class NoSuchRoom(Exception):
    """The database cannot hold such a name, today or tomorrow."""


Refusal = LoginRequired | NoSuchRoom | Unanswered


class Arrival(NamedTuple):
    """What a handshake claims. Nothing of it is proved."""

    room: str
    session: str | None
    guest: str | None
    since: int | None
    epoch: str | None


class Entrance(NamedTuple):
    room: Room
    person: Person
    snapshot: Snapshot


def arrival(scope: dict[str, Any]) -> Arrival:
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    cookies = parse_cookie(header.decode("latin-1"))
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return Arrival(
        room=scope["url_route"]["kwargs"]["room_name"],
        session=cookies.get(settings.SESSION_COOKIE_NAME) or None,
        guest=cookies.get(COOKIE),
        since=number(query.get("since")),
        epoch=(query.get("epoch") or [None])[0],
    )


def number(values: list[str] | None) -> int | None:
    """The one whole number that was given; what is malformed counts as absent."""
    text = values[0] if values and len(values) == 1 else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


# --- In the event loop ---------------------------------------------------------------------------------


class Arrivals:
    """One per hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._gathering = Gathering(entrances)
        self._known: dict[str, Room] = {}  # by name, as they once were

    @classmethod
    def here(cls, hub: Hub) -> "Arrivals":
        return registry.here().get(cls, lambda: cls(hub))

    async def finish(self) -> None:
        """Whoever comes waits for it."""

    async def close(self) -> None:
        await self._gathering.close()

    async def admit(self, arrival: Arrival) -> Entrance:
        """Raises LoginRequired, NoSuchRoom or Unanswered."""
        if returned := self._returned(arrival):
            return returned
        found = await self._gathering.ask(arrival)
        return found._replace(room=self._same(found.room))

    def _returned(self, arrival: Arrival) -> Entrance | None:
        """A guest who is back in a log that others follow here."""
        room = self._known.get(arrival.room)
        if (
            room is None
            or arrival.session
            or arrival.since is None
            or arrival.epoch is None
            or not settings.ALLOW_GUESTS
        ):
            return None
        missed = self._hub.remembered(str(room.pk), arrival.epoch, arrival.since)
        if missed is None:
            return None
        seq = missed[-1].seq if missed else arrival.since
        return Entrance(room, guest_of(arrival.guest), resumed(arrival.epoch, seq, arrival.since, missed))

    def forget(self, room: Room) -> None:
        """It is gone, or has another name: whoever returns there is looked for in the database."""
        self._known.pop(room.name, None)

    def _same(self, room: Room) -> Room:
        """One object for all sockets of the room."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        known = self._known.setdefault(room.name, room)
        if (known.pk, known.epoch, known.is_made) != (room.pk, room.epoch, room.is_made):
            self._known[room.name] = known = room
        return known


# --- In a thread ---------------------------------------------------------------------------------------


def entrances(arrivals: Sequence[Arrival]) -> list[Entrance | Refusal]:
    """What became of each, in order. One that the database cannot digest is found by halving: it hinders no other."""
    try:
        return together(arrivals)
    except (OperationalError, InterfaceError):
        raise  # it is nobody's fault
    except (DatabaseError, ValueError, LookupError) as error:
        if len(arrivals) == 1:
            logger.warning("somebody cannot enter a room: %s", error)
            return [NoSuchRoom() if faults.is_permanent(error) else Unanswered(str(error))]
        half = len(arrivals) // 2
        return entrances(arrivals[:half]) + entrances(arrivals[half:])


def together(arrivals: Sequence[Arrival]) -> list[Entrance | Refusal]:
    """Nobody makes a room by coming in."""
    people = people_of({arrival.session for arrival in arrivals if arrival.session})
    persons = [people.get(arrival.session or "") or guest_of(arrival.guest) for arrival in arrivals]
    admitted = [
        arrival for arrival, person in zip(arrivals, persons, strict=True) if settings.ALLOW_GUESTS or not person.guest
    ]
    rooms = Room.objects.all_named({arrival.room for arrival in admitted})
    wishes = {arrival: Wish(rooms[arrival.room], arrival.since, arrival.epoch) for arrival in admitted}
    shown = snapshots(wishes.values())
    return [
        Entrance(wishes[arrival].room, person, shown[wishes[arrival]]) if arrival in wishes else LoginRequired()
        for arrival, person in zip(arrivals, persons, strict=True)
    ]

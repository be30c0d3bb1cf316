"""What is in force in rooms, and what it means for somebody who reads or writes there.

Each process knows all of it by heart: where nothing is in force, no message costs a query. Pages ask the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import FilteredRelation, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from rooms.models import Room
from rooms.moderation.models import BarredAddress, FormerName, Restriction, Rules
from topics import Person, Refused
from topics.known import Known

READ: Final = "read"
WRITE: Final = "write"
ADDRESSES: Final = 5  # of one who is banned


class Term(NamedTuple):
    """`until` is None where somebody has to lift it."""

    until: datetime | None
    reason: str = ""

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


Terms = Mapping[str, Term]
"""By a person's key, or by an address."""

NOBODY: Final[Terms] = MappingProxyType({})


class Force(NamedTuple):
    """Of a room."""

    read_only: bool = False
    slow_seconds: int = 0
    muted: Terms = NOBODY
    banned: Terms = NOBODY
    barred: Terms = NOBODY

    def ban_of(self, person: Person, now: datetime) -> Term | None:
        term = self.banned.get(person.key) or (self.barred.get(person.address) if person.guest else None)
        return term if term is not None and term.holds(now) else None

    def is_news_of(self, person: Person) -> bool:
        """Whether a guest who is banned comes from where nobody is barred yet, and that is hers alone."""
        return (
            bool(settings.BAN_ADDRESS_HOURS)
            and person.guest
            and person.key in self.banned
            and person.address not in self.barred
            and is_public(person.address)
        )

    def refusal(self, person: Person, act: str) -> Refused | None:
        """Why the person may not read or write, if something here says so."""
        now = timezone.now()
        if term := self.ban_of(person, now):
            return Refused(sentence(_("You are banned from this room"), term), code="banned")
        if act == READ:
            return None
        if (term := self.muted.get(person.key)) and term.holds(now):
            return Refused(sentence(_("You are muted in this room"), term), code="muted")
        if self.read_only:
            return Refused(_("Nobody may write in this room any more."), code="read_only")
        return None


NOTHING: Final = Force()


def sentence(what: str, term: Term) -> str:
    if term.until is not None:
        what = _("{what} until {moment} UTC").format(what=what, moment=date_format(term.until, "j F Y, H:i"))
    return f"{what}. {_('Reason')}: {term.reason}" if term.reason else f"{what}."


def holding(of: str = "") -> Q:
    return Q(**{f"{of}until": None}) | Q(**{f"{of}until__gt": timezone.now()})


TERMS: Final = ("kind", "key", "until", "reason", "addresses__address", "addresses__until")


def in_force() -> dict[str, Force]:
    """By the name of each room in which something is. Two queries."""
    rules = Rules.objects.filter(Q(read_only=True) | Q(slow_seconds__gt=0))
    ruled = {name: rest for name, *rest in rules.values_list("room__name", "read_only", "slow_seconds")}
    terms: dict[str, list[Any]] = {name: [] for name in ruled}
    for name, *row in Restriction.objects.filter(holding()).values_list("room__name", *TERMS):
        terms.setdefault(name, []).append(row)
    return {name: force_of(ruled.get(name, (False, 0)), rows) for name, rows in terms.items()}


def force_of(rules: Sequence[Any], rows: Iterable[Any]) -> Force:
    muted: dict[str, Term] = {}
    banned: dict[str, Term] = {}
    barred: dict[str, Term] = {}
    for kind, key, until, reason, address, barred_until in rows:
        (muted if kind == Restriction.Kind.MUTE else banned)[key] = Term(until, reason)
        if address:
            barred[address] = Term(barred_until, reason)
    return Force(bool(rules[0]), rules[1] or 0, muted, banned, barred)


by_heart: Final = Known("rooms.moderation", in_force)


def at_once(room: str) -> Force | None:
    """Of that room, as this process knows it: None where it has to ask. In a loop."""
    known = by_heart.at_once()
    return None if known is None else known.get(room, NOTHING)


async def here(room: str) -> Force:
    """The same, having asked."""
    return at_once(room) or (await by_heart.get()).get(room, NOTHING)


def now(name: str) -> Force:
    """Of that room, as the database has it. One query."""
    held = FilteredRelation("restrictions", condition=holding("restrictions__"))
    rooms = Room.objects.filter(name=name).annotate(held=held)
    found = list(rooms.values_list("rules__read_only", "rules__slow_seconds", *(f"held__{field}" for field in TERMS)))
    return force_of(found[0], [row[2:] for row in found if row[3]]) if found else NOTHING


def check(room: str, person: Person, act: str) -> Force:
    """For pages. Raises Refused where the person may not."""
    force = now(room)
    if force.is_news_of(person):
        bar(room, person)
    if why := force.refusal(person, act):
        raise why
    return force


def banned_from(person: Person) -> frozenset[str]:
    """The names of rooms."""
    bans = Restriction.objects.filter(holding(), kind=Restriction.Kind.BAN, key=person.key)
    return frozenset(bans.values_list("room__name", flat=True))


def bar(room: str, person: Person) -> None:
    """For some hours no guest comes in from where this one does, who is banned: a new cookie does not help at once."""
    from rooms.topics import RoomTopic

    row = Restriction.objects.filter(room__name=room, kind=Restriction.Kind.BAN, key=person.key).first()
    if row is None or row.addresses.count() >= ADDRESSES:
        return
    until = timezone.now() + timedelta(hours=settings.BAN_ADDRESS_HOURS)
    with transaction.atomic():
        defaults = {"until": min(until, row.until or until)}
        BarredAddress.objects.update_or_create(restriction=row, address=person.address, defaults=defaults)
        by_heart.changed()
        RoomTopic(room=room).recheck()


def is_public(address: str) -> bool:
    """A private one is that of a network's way out, or of a proxy: many come from there."""
    try:
        return ip_network(address).is_global
    except ValueError:
        return False


def called_now(name: str) -> str | None:
    """What the room is called that had that name."""
    return FormerName.objects.filter(name=name).values_list("room__name", flat=True).first()

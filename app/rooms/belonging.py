"""Which rooms are whose, and what they are called: of those that have names which say nothing.

A closed room has a title. A direct one is called what the other one is called, so each of the two sees another name.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.contrib.auth import get_user_model

from rooms.converters import OPAQUE, is_opaque
from rooms.models import Kind, Member
from rooms.roles import has_account
from topics import Person
from topics.people import FORMER, key_of

MOST: Final = 1_000  # rooms of a person, those that she has come to last
NAMED: Final = 500  # people by whom a query asks


class Belonging(NamedTuple):
    """A closed or direct room of somebody's, as she sees it."""

    name: str
    kind: str
    title: str
    since: datetime


def of(person: Person, only: Collection[str] | None = None) -> dict[str, Belonging]:
    """By name. One query, and another one where there are direct ones."""
    if not has_account(person) or (only is not None and not any(map(is_opaque, only))):
        return {}
    hers = Member.objects.filter(user=person.user_id, room__name__startswith=OPAQUE)
    if only is not None:
        hers = hers.filter(room__name__in=only)
    rows = hers.order_by("-since").values_list("room__name", "room__kind", "room__title", "since")[:MOST]
    found = {name: Belonging(name, kind, title, since) for name, kind, title, since in rows}
    direct = [name for name, one in found.items() if one.kind == Kind.DIRECT]
    others = names_of_others(person, direct) if direct else {}
    return found | {name: found[name]._replace(title=others.get(name, FORMER)) for name in direct}


def names_of_others(person: Person, rooms: Collection[str]) -> dict[str, str]:
    """Nobody's where the other one has left."""
    called = f"user__{get_user_model().USERNAME_FIELD}"
    others = Member.objects.filter(room__name__in=rooms).exclude(user=person.user_id)
    return dict(others.values_list("room__name", called))


def names_for(person: Person) -> list[str]:
    if not has_account(person):
        return []
    hers = Member.objects.filter(user=person.user_id, room__name__startswith=OPAQUE)
    return list(hers.order_by("-since").values_list("room__name", flat=True)[:MOST])


def title_of(name: str, person: Person) -> str:
    """What a room that the person may read is called on her pages."""
    found = of(person, [name]).get(name)
    return found.title if found else name


def members_among(rooms: Collection[str], people: Collection[str] | None = None) -> dict[str, set[str]]:
    """The keys of the members of each of these rooms, by its name: all of them, or those among so many people."""
    members = Member.objects.filter(room__name__in=rooms)
    if people is not None and len(people) <= NAMED:
        members = members.filter(user__in=users_of(people))
    found: dict[str, set[str]] = {}
    for name, user in members.values_list("room__name", "user"):
        key = key_of(user)
        if people is None or key in people:
            found.setdefault(name, set()).add(key)
    return found


def users_of(people: Iterable[str]) -> list[Any]:
    """Primary keys of those of these people who have accounts."""
    beginning, pk = key_of(""), get_user_model()._meta.pk
    return [pk.to_python(key.removeprefix(beginning)) for key in people if key.startswith(beginning)]

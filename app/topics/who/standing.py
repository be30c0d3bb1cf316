"""Whose session is over, and whose account has changed: what ends a socket, whichever product it is of.

For everybody who is logged in here two queries. Only where a user's row is another one than when the session was last
verified is the session itself read, and the password's hash compared.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from django.contrib.auth import get_user_model

from realtime.closing import FORBIDDEN, LOGIN, RESTART, Goodbye
from topics.people import Person
from topics.who.sessions import living, people_of

T = TypeVar("T")

AT_A_TIME: Final = 1_000  # keys in one query
CHANGES_OFTEN: Final = {"last_login"}  # of a user's row; says nothing about who may be here


class Accounts:
    """One a product and process. To be called in the database's threads."""

    def __init__(self) -> None:
        self._verified: dict[str, int] = {}  # session -> the print of its user's row at that time

    def over(self, people: Mapping[str, Person], doubted: bool) -> dict[str, Goodbye]:
        """The sessions by which these people are logged in no longer, each with what its sockets are told."""
        users = {person.user_id for person in people.values()}
        prints = {key: number for some in portions(users) for key, number in prints_of(some)}
        alive = {session for some in portions(people) for session in living(some)}
        verified = {session: number for session, number in self._verified.items() if session in alive}
        if not doubted:  # these are all
            self._verified = verified
        unsure = [
            session
            for session, person in people.items()
            if doubted or session not in verified or verified[session] != prints.get(person.user_id)
        ]
        found = people_of(unsure) if unsure else {}
        self._verified.update((session, prints.get(person.user_id, 0)) for session, person in found.items())
        changed = [session for session in unsure if found.get(session) != people[session]]
        active = active_among({people[session].user_id for session in changed}) if changed else set()
        return {
            # An account that has another name now comes back under it.
            session: RESTART if session in found else LOGIN if people[session].user_id in active else FORBIDDEN
            for session in changed
        }


def is_active(user: Any) -> bool:
    return bool(getattr(user, "is_active", True))


def active_among(keys: Collection[Any]) -> set[Any]:
    users = get_user_model()._default_manager.in_bulk(keys)
    return {key for key, user in users.items() if is_active(user)}


def prints_of(keys: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    """A number for each user's row, which is another one where anything in the row is."""
    users = get_user_model()
    names = [field.attname for field in users._meta.concrete_fields if field.name not in CHANGES_OFTEN]
    for key, *row in users._default_manager.filter(pk__in=keys).values_list("pk", *names):
        yield key, hash(repr(row))


def portions(keys: Iterable[T]) -> Iterator[list[T]]:
    waiting = list(keys)
    for first in range(0, len(waiting), AT_A_TIME):
        yield waiting[first : first + AT_A_TIME]

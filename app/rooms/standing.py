"""Who may be here no longer: whose session is over, whose account has changed, and whose room is gone.

For everybody who is logged in here two queries, and one for all rooms. Only where a user's row is another one than
when the session was last verified is the session itself read, and the password's hash compared.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from django.contrib.auth import get_user_model

from realtime.closing import FORBIDDEN, LOGIN, NO_SUCH_ROOM, RESTART, Goodbye
from realtime.feed import Feed, Follower
from realtime.standing import Verdict
from rooms.models import Lineage, Room, epoch_of
from rooms.people import Person
from rooms.sessions import living, people_of

T = TypeVar("T")

AT_A_TIME: Final = 1_000  # keys in one query
CHANGES_OFTEN: Final = {"last_login"}  # of a user's row; says nothing about who may be here


class Present(Follower, Protocol):
    """A socket in a room. `session` is the key of the one by which its person is logged in."""

    @property
    def feed(self) -> Feed | None: ...
    @property
    def room(self) -> Room: ...
    @property
    def person(self) -> Person: ...
    @property
    def session(self) -> str | None: ...


class Standing:
    """One a process. To be called in the database's threads."""

    def __init__(self) -> None:
        self._verified: dict[str, int] = {}  # session -> the print of its user's row at that time

    def judge(self, present: Sequence[Present], doubted: bool) -> Verdict:
        """`doubted`: only some are asked about, and nothing that was verified before is believed of them."""
        rooms = {id(one.room): one.room for one in present}
        logs = {key: log for some in portions({room.pk for room in rooms.values()}) for key, *log in logs_of(some)}
        spoken = {one.room.pk for one in present if one.feed is not None and one.feed.seq}
        logs |= {room.pk: log for room, log in unmade(rooms.values(), logs.keys() | spoken)}
        over = self.over({one.session: one.person for one in present if one.session}, doubted)
        wrong = {key for key, room in rooms.items() if logs.get(room.pk) != [room.name, room.epoch]}
        verdict = Verdict({}, {})
        for one in present if over or wrong else ():
            room = one.room
            if one.session in over:
                verdict.followers[one] = over[one.session]
            elif id(room) in wrong:
                name, *_ = logs.get(room.pk, [None])
                if name is not None and name != room.name:  # others may have come by the new one
                    verdict.followers[one] = NO_SUCH_ROOM
                else:
                    verdict.rooms[str(room.pk)] = RESTART if name else NO_SUCH_ROOM
        return verdict

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


def logs_of(keys: Sequence[int]) -> Iterable[tuple[int, str, str]]:
    return Room.objects.filter(pk__in=keys).values_list("pk", "name", "epoch")


def unmade(rooms: Iterable[Room], made: Collection[int]) -> Iterator[tuple[Room, list[str]]]:
    """Rooms in which nothing has been said: what their rows would hold. `made` were, even if they are gone."""
    absent = [room for room in rooms if room.pk not in made and not room.is_made]
    salt = Lineage.current() if absent else ""
    return ((room, [room.name, epoch_of(room.pk, salt)]) for room in absent)


def active_among(keys: Collection[Any]) -> set[Any]:
    users = get_user_model()._default_manager.in_bulk(keys)
    return {key for key, user in users.items() if user.is_active}


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

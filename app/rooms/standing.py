"""Who may be here no longer: whose session is over, whose account has changed, and whose room is gone.

Beside what accounts take, one query for all rooms.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from realtime.closing import NO_SUCH_ROOM, RESTART
from realtime.contract import Follower
from realtime.feed import Feed
from realtime.standing import Verdict
from rooms.models import Lineage, Room, epoch_of
from topics.people import Person
from topics.standing import Accounts, portions


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


class Standing(Accounts):
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


def logs_of(keys: Sequence[int]) -> Iterable[tuple[int, str, str]]:
    return Room.objects.filter(pk__in=keys).values_list("pk", "name", "epoch")


def unmade(rooms: Iterable[Room], made: Collection[int]) -> Iterator[tuple[Room, list[str]]]:
    """Rooms in which nothing has been said: what their rows would hold. `made` were, even if they are gone."""
    absent = [room for room in rooms if room.pk not in made and not room.is_made]
    salt = Lineage.current() if absent else ""
    return ((room, [room.name, epoch_of(room.pk, salt)]) for room in absent)

"""Of what somebody is told in a room: of all messages, of mentions of her, or of nothing."""

from collections.abc import Iterable

from phone.models import ALL, MENTIONS, NOTHING, Level
from rooms.models import Kind, Room
from rooms.topics import RoomTopic
from topics import Person
from topics.people import key_of

LEVELS = (ALL, MENTIONS, NOTHING)


def by_default(room: Room) -> str:
    return ALL if is_direct(room) else MENTIONS


def is_direct(room: Room) -> bool:
    """Whether it is a room of two people, in which everything is said to the other."""
    return room.kind == Kind.DIRECT


def level(room: Room, person: Person) -> str:
    chosen = levels(room, [person.key]) if room.pk else {}
    return chosen.get(person.key) or by_default(room)


def levels(room: Room, people: Iterable[str]) -> dict[str, str]:
    """What these people have chosen, by their keys. Who has not is missing."""
    return dict(Level.objects.filter(room=room, person__in=set(people)).values_list("person", "level"))


def chosen(person: Person) -> dict[str, str]:
    """Where it is something else than mentions of her, by the name of the room's topic."""
    found = dict.fromkeys(Room.objects.filter(kind=Kind.DIRECT, members__user=person.user_id), ALL)
    found |= {one.room: one.level for one in Level.objects.filter(person=person.key).select_related("room")}
    return {RoomTopic(room=room.name).name: level for room, level in found.items()}


def hearing_all(room: Room) -> set[str]:
    """The keys of those who are told of everything there, unless they have chosen something else."""
    members = room.members.values_list("user", flat=True) if is_direct(room) else []
    return {*Level.objects.filter(room=room, level=ALL).values_list("person", flat=True), *map(key_of, members)}


def choose(room: Room, person: Person, level: str) -> None:
    Level.objects.update_or_create(room=room, person=person.key, defaults={"level": level})

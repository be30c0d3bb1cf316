"""Of what somebody is told in a room: of all messages, of mentions of her, or of nothing."""

from collections.abc import Iterable

from phone.models import ALL, MENTIONS, NOTHING, Level
from rooms.models import Room
from rooms.topics import RoomTopic
from topics import Person

LEVELS = (ALL, MENTIONS, NOTHING)


def by_default(room: Room) -> str:
    return ALL if is_direct(room) else MENTIONS


def is_direct(room: Room) -> bool:
    """Whether it is a room of two people, in which everything is said to the other."""
    return getattr(room, "kind", "") == "direct"


def level(room: Room, person: Person) -> str:
    chosen = levels(room, [person.key]) if room.pk else {}
    return chosen.get(person.key) or by_default(room)


def levels(room: Room, people: Iterable[str]) -> dict[str, str]:
    """What these people have chosen, by their keys. Who has not is missing."""
    return dict(Level.objects.filter(room=room, person__in=set(people)).values_list("person", "level"))


def chosen(person: Person) -> dict[str, str]:
    """What she has chosen, by the name of the room's topic."""
    found = Level.objects.filter(person=person.key).values_list("room__name", "level")
    return {RoomTopic(room=name).name: level for name, level in found}


def hearing_all(room: Room) -> set[str]:
    """The keys of those who are told of everything there."""
    return set(Level.objects.filter(room=room, level=ALL).values_list("person", flat=True))


def choose(room: Room, person: Person, level: str) -> None:
    Level.objects.update_or_create(room=room, person=person.key, defaults={"level": level})

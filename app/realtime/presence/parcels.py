"""Events of bounded size: some 10 KB, and with the longest names that accounts may have about 64."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from realtime.presence.roster import Person

T = TypeVar("T")

PEOPLE_IN_EVENT = 100
ROOMS_IN_EVENT = 500


def portions(many: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (many[start : start + size] for start in range(0, len(many), size))


def parcels(rooms: Iterable[tuple[str, dict[str, Person]]]) -> Iterator[list[list[Any]]]:
    """Lists of [room, part, parts, people], each with a bounded number of rooms and people together."""
    parcel: list[list[Any]] = []
    size = 0
    for room, people in rooms:
        parts = list(portions(list(people.items()), PEOPLE_IN_EVENT)) or [[]]
        for part, some in enumerate(parts):
            if parcel and size + 1 + len(some) > PEOPLE_IN_EVENT:
                yield parcel
                parcel, size = [], 0
            parcel.append([room, part, len(parts), dict(some)])
            size += 1 + len(some)
    if parcel:
        yield parcel

"""Making rooms: by a room's first message, or by the lobby's form. Nobody makes more than a share of them.

Shares are counted in the database, for all processes: by person, and by address, since a guest can be a new one at
any time.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from realtime import metrics
from rooms.models import Making, Room
from topics.people import Person

HOUR: Final = timedelta(hours=1)


class TooManyRooms(Exception):
    """Who makes the room, or the address it is made from, has made as many as an hour allows."""

    def __init__(self) -> None:
        super().__init__(
            "You have opened too many rooms within an hour. Talk in one that is there, or come back later."
        )


class Birth(NamedTuple):
    """A room that is not made yet, and from which address that may be done."""

    room: Room
    address: str


def open_room(name: str, person: Person, address: str) -> Room:
    """The room of that name, made if nobody has done so. Raises InvalidRoomName, or TooManyRooms."""
    room = Room.objects.named(name)
    if room.is_made:
        return room
    with transaction.atomic():
        if refused := make([(Birth(room, address), person)]):
            raise refused[room.pk]
    return Room.objects.named(name)


def make(births: Sequence[tuple[Birth, Person]]) -> dict[int, TooManyRooms]:
    """Makes the rooms, within the caller's transaction. Those that may not be made, by key."""
    shares = Shares(births)
    refused = {birth.room.pk: TooManyRooms() for birth, person in births if not shares.take(birth, person)}
    allowed = [(birth, person) for birth, person in births if birth.room.pk not in refused]
    Room.objects.make([birth.room for birth, _ in allowed])
    made = set(Room.objects.filter(pk__in=[birth.room.pk for birth, _ in allowed]).values_list("pk", flat=True))
    Making.objects.bulk_create(
        [
            Making(room_id=birth.room.pk, person_key=person.key, address=birth.address)
            for birth, person in allowed
            if birth.room.pk in made
        ],
        ignore_conflicts=True,  # somebody else has just made it
    )
    return refused


class Shares:
    """What those who make rooms have made in the last hour."""

    def __init__(self, births: Sequence[tuple[Birth, Person]]) -> None:
        self.by_person = _made("person_key", {person.key for _, person in births if person.known})
        self.by_address = _made("address", {birth.address for birth, _ in births})

    def take(self, birth: Birth, person: Person) -> bool:
        """One more room, if there is room for one. A guest who is not known is bounded by the address alone."""
        limits = (
            ("rooms_per_person", self.by_person, person.key, settings.ROOMS_PER_PERSON if person.known else 0),
            ("rooms_per_address", self.by_address, birth.address, settings.ROOMS_PER_ADDRESS),
        )
        for name, made, who, most in limits:
            if most and made[who] >= most:
                metrics.limited.labels(name).inc()
                return False
        for _, made, who, _ in limits:
            made[who] += 1
        return True


def _made(field: str, whose: set[str]) -> Counter[str]:
    rows = Making.objects.filter(at__gte=timezone.now() - HOUR, **{f"{field}__in": whose})
    return Counter(dict(rows.order_by().values_list(field).annotate(Count("pk"))))

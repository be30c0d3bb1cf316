"""Making rooms: by a room's first message, or by the lobby's form. Nobody makes more than a share of them.

Shares are counted in the database, for all processes: by person, and by address, since a guest can be a new one at
any time.
"""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rooms.models import Making, Member, Role, Room
from topics import Person, Refused, rates

HOUR: Final = timedelta(hours=1)
TOO_MANY: Final = "You have opened too many rooms within an hour. Talk in one that is there, or come back later."


def make(name: str, person: Person | None) -> None:
    """The room of that name, made if nobody has done so. Raises Refused where the person has made enough of them.

    Whoever makes it by an account owns it. What a program makes by itself, for nobody, is no one's share.
    """
    with transaction.atomic():
        if Room.objects.select_for_update().filter(name=name).first():  # held, so that it is not swept as empty
            return
        if person is not None:
            check_share(person)
        room = Room(name=name)
        # Somebody else may just have made it: then it is that one.
        Room.objects.bulk_create([room], update_conflicts=True, unique_fields=["name"], update_fields=["name"])
        if person is not None:
            making = Making(room=room, person_key=person.key, address=person.address)
            Making.objects.bulk_create([making], ignore_conflicts=True)
            if not person.guest and person.user_id is not None:
                owner = Member(room=room, user_id=person.user_id, role=Role.OWNER)
                Member.objects.bulk_create([owner], ignore_conflicts=True)


def check_share(person: Person) -> None:
    """A guest who is not known is bounded by the address alone."""
    limits = (
        ("rooms_per_person", {"person_key": person.key}, settings.ROOMS_PER_PERSON if person.known else 0),
        ("rooms_per_address", {"address": person.address}, settings.ROOMS_PER_ADDRESS),
    )
    lately = Making.objects.filter(at__gte=timezone.now() - HOUR)
    for limit, whose, most in limits:
        if most and lately.filter(**whose).count() >= most:
            rates.met(limit)
            raise Refused(TOO_MANY, code="too_many_rooms")

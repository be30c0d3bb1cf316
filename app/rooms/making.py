"""Making rooms: open ones by their first message or by the lobby's form, closed ones by the form, and direct ones when
the one wants to write to the other. Nobody makes more than a share of them.

Shares are counted in the database, for all processes: by person, and by address, since a guest can be a new one at
any time.
"""

from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rooms.converters import OPAQUE, is_opaque, opaque_name
from rooms.models import Kind, Making, Member, Role, Room
from rooms.roles import has_account
from topics import Person, Refused, rates

HOUR: Final = timedelta(hours=1)
NO_ROOM: Final = _("There is no such room.")
TOO_MANY: Final = _("You have opened too many rooms within an hour. Talk in one that is there, or come back later.")


def make(name: str, person: Person | None) -> None:
    """The room of that name, made if nobody has done so. Raises Refused where the person has made enough of them.

    Whoever makes it by an account owns it. What a program makes by itself, for nobody, is no one's share.
    """
    with transaction.atomic():
        if Room.objects.select_for_update().filter(name=name).first():  # held, so that it is not swept as empty
            return
        if is_opaque(name):  # just deleted, or never there
            raise Refused(NO_ROOM, code="no_such_topic")
        if person is not None:
            check_share(person)
        room = stored(Room(name=name), person)
        if person is not None and has_account(person):
            add([(room, person.user_id, Role.OWNER)])


def make_closed(title: str, person: Person) -> str:
    """The name of a new room for its members. Raises Refused."""
    with transaction.atomic():
        check_share(person)
        room = stored(Room(name=opaque_name(), kind=Kind.CLOSED, title=title), person)
        add([(room, person.user_id, Role.OWNER)])
    return room.name


def make_direct(person: Person, user: Any) -> str:
    """The name of the room of these two, the same whoever of them asks. Raises Refused."""
    name = direct_name(person.user_id, user.pk)
    if Room.objects.filter(name=name).exists():
        return name
    with transaction.atomic():
        check_share(person)
        room = stored(Room(name=name, kind=Kind.DIRECT), person)
        add([(room, person.user_id, Role.MEMBER), (room, user.pk, Role.MEMBER)])
    return name


def direct_name(*pair: Any) -> str:
    one, other = sorted(map(str, pair))
    return OPAQUE + sha256(f"direct {one} {other}".encode()).hexdigest()[:32]


def stored(room: Room, person: Person | None) -> Room:
    """Somebody else may just have made it: then it is that one."""
    Room.objects.bulk_create([room], update_conflicts=True, unique_fields=["name"], update_fields=["name"])
    if person is not None:
        making = Making(room=room, person_key=person.key, address=person.address)
        Making.objects.bulk_create([making], ignore_conflicts=True)
    return room


def add(members: list[tuple[Room, Any, Role]]) -> None:
    rows = [Member(room=room, user_id=user, role=role) for room, user, role in members]
    Member.objects.bulk_create(rows, ignore_conflicts=True)


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

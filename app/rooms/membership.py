"""Who comes into a room's members, leaves them, or gets another part there.

Whoever is not to read any more is put out within a second, wherever she is, and her list of rooms follows. The room's
row is locked meanwhile: it has one owner, and no more members than it may.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from rooms.models import Invitation, Kind, Member, Role, Room
from rooms.topics import Lobby, RoomTopic
from topics import Person, Refused, recheck
from topics.people import key_of, of_key

MOST: Final = 1_000  # members of a room


@contextmanager
def held(name: str) -> Iterator[Room]:
    """The room, which nobody else changes meanwhile. Raises Refused where there is none any more."""
    with transaction.atomic():
        room = Room.objects.select_for_update().filter(name=name).first()
        if room is None:
            raise Refused(_("There is no such room any more."), code="gone")
        yield room


def add(name: str, user: Any, role: Role = Role.MEMBER) -> bool:
    """Whether she was not a member before. Raises Refused. All who become members of a room do so here, but for those
    with whom it begins.
    """
    with held(name) as room:
        if room.kind == Kind.DIRECT:
            raise Refused(_("This room is for two people."), code="forbidden")
        if room.members.filter(user=user).exists():
            return False
        if room.members.count() >= MOST:
            raise Refused(_("The room has as many members as a room can have."), code="full")
        Member.objects.create(room=room, user=user, role=role)
        tell(room, user.pk, joined=True)
    return True


def remove(name: str, member: Member) -> None:
    """Also of herself. Raises Refused for the owner, while there are others: somebody else is to be it first."""
    with held(name) as room:
        if room.kind == Kind.DIRECT:
            raise Refused(_("This room is for two people."), code="forbidden")
        others = room.members.exclude(pk=member.pk)
        if others.exists() and room.members.filter(pk=member.pk, role=Role.OWNER).exists():
            raise Refused(_("Make somebody else the owner first."), code="forbidden")
        end(room, member)


def end(room: Room, member: Member) -> None:
    Invitation.objects.filter(room=room, by=member.user_id).delete()
    Member.objects.filter(pk=member.pk).delete()
    tell(room, member.user_id, joined=False)
    if room.kind != Kind.OPEN and not room.members.exists():
        room.delete()  # nobody could ever read it again


def appoint(name: str, member: Member, role: Role) -> None:
    """As moderator, or as member again: what she has invited to by then holds no more. Raises Refused."""
    with held(name) as room:
        changed = room.members.filter(pk=member.pk).exclude(role=Role.OWNER).update(role=role)
        if changed and role == Role.MEMBER:
            Invitation.objects.filter(room=room, by=member.user_id).delete()


def hand_on(name: str, member: Member) -> None:
    """She owns the room from now on; the owner so far, if any, is a moderator. Raises Refused."""
    with held(name) as room:
        if not room.members.filter(pk=member.pk).exists():
            raise Refused(_("That is no member any more."), code="gone")
        room.members.filter(role=Role.OWNER).update(role=Role.MODERATOR)
        room.members.filter(pk=member.pk).update(role=Role.OWNER)


def end_all(user: Any) -> None:
    """She leaves the site. What she has owned goes to the moderator, else the member, who has been there longest."""
    for member in Member.objects.filter(user=user).select_related("room").order_by("room__name"):
        with suppress(Refused), held(member.room.name) as room:
            end(room, member)
            if member.role == Role.OWNER:
                inherit(room)


def inherit(room: Room) -> None:
    others = Member.objects.filter(room__name=room.name).order_by("since", "pk")
    heir = others.filter(role=Role.MODERATOR).first() or others.first()
    if heir is not None and (room.kind == Kind.CLOSED or heir.role == Role.MODERATOR):
        Member.objects.filter(pk=heir.pk).update(role=Role.OWNER)


def tell(room: Room, user: Any, *, joined: bool) -> None:
    """After COMMIT. Everybody may read an open room, so nobody's list depends on who has a part in it."""
    if room.kind == Kind.OPEN:
        return
    person = person_with(user)
    Lobby.of(person).signal({"rooms": {"topic": RoomTopic(room=room.name).name, "joined": joined}})
    if not joined:
        recheck(user=person)


def person_with(user: Any) -> Person:
    """By her account's key alone."""
    return of_key(key_of(user), "", guest=False)

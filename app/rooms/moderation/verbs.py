"""What whoever keeps order in a room may do there. Pages and admin call the same; each is told in the room's list of
actions, and heard of by every process within a second of COMMIT.

Each raises Refused, with a sentence for whoever does it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rooms import membership
from rooms.converters import checked_name
from rooms.models import Kind, Member, Room
from rooms.moderation.force import by_heart
from rooms.moderation.models import Action, FormerName, Report, Restriction, Rules
from rooms.moderation.slowly import LONGEST
from rooms.roles import moderates
from rooms.saying import GONE, changing
from rooms.topics import RoomTopic
from topics import Conflict, Event, Person, Refused, Unreachable
from topics.people import of_user

MOST_HERE: Final = 1_000  # people who are looked through
NAMES_KEPT: Final = 10  # that a room had before


@contextmanager
def keeping(name: str, by: Person) -> Iterator[Room]:
    """The room, held until the end of the transaction."""
    if not moderates(name, by):
        raise Refused(_("Only those who keep order in this room may do that."), code="forbidden")
    with transaction.atomic():
        room = Room.objects.select_for_update().filter(name=name).first()
        if room is None:
            raise Refused(_("There is no such room."), code="no_such_topic")
        yield room


def note(room: Room, by: Person, verb: str, whom: Person | None = None, **more: Any) -> None:
    named = {} if whom is None else whose(whom)
    Action.objects.create(room=room, room_name=room.name, by_id=by.user_id, verb=verb, **named, **more)


def whose(person: Person) -> dict[str, Any]:
    return {"key": person.key, "user_id": person.user_id, "name": person.name if person.guest else ""}


# --- Messages --------------------------------------------------------------------------------------------


def remove(name: str, seq: int, by: Person, reason: str = "") -> None:
    """Takes the message away. What is left of it says neither whose it was nor who has removed it."""
    with keeping(name, by) as room, changing():
        event = said(name, seq)
        if event.retracted:
            raise Refused(GONE, code="bad_frame")
        RoomTopic(room=name).retract(seq)
        note(room, by, "remove", event.by, seq=seq, reason=reason)
        settle(room, seq, by, "removed")


def dismiss(name: str, seq: int, by: Person) -> None:
    """What people have reported about the message is no reason to do anything."""
    with keeping(name, by) as room:
        if settle(room, seq, by, "dismissed"):
            note(room, by, "dismiss", seq=seq)


def settle(room: Room, seq: int, by: Person, outcome: str) -> int:
    waiting = Report.objects.filter(room=room, seq=seq, resolved_at=None)
    return waiting.update(resolved_at=timezone.now(), outcome=outcome, by_id=by.user_id)


def said(name: str, seq: int) -> Event:
    """The message of that number, also where it was removed."""
    found = RoomTopic(room=name).numbered([seq])
    if not found:
        raise Refused(GONE, code="bad_frame")
    return found[0]


def author(name: str, seq: int) -> Person:
    by = said(name, seq).by
    if by is None or not by.key:
        raise Refused(_("Nobody who could be told from others has said this."), code="bad_frame")
    return by


def called(name: str, who: str) -> Person:
    """Somebody with an account of that name, or who is here under it."""
    users = get_user_model()._default_manager
    if user := users.filter(**{get_user_model().USERNAME_FIELD: who}, is_active=True).first():
        return of_user(user)
    try:
        here = [one for one in RoomTopic(room=name).members(MOST_HERE) if one.guest and one.name == who]
    except Unreachable:
        here = []
    if len(here) != 1:
        raise Refused(
            _("Nobody has an account of that name, and not just one guest of that name is here."), code="bad_frame"
        )
    return here[0]


# --- People ----------------------------------------------------------------------------------------------


def mute(name: str, whom: Person, by: Person, time: timedelta, reason: str = "") -> None:
    """She reads, and writes nothing for as long."""
    restrict(name, whom, by, Restriction.Kind.MUTE, timezone.now() + time, reason)


def ban(name: str, whom: Person, by: Person, time: timedelta | None = None, reason: str = "") -> None:
    """She goes, and neither reads nor writes: for as long, or until it is lifted."""
    restrict(name, whom, by, Restriction.Kind.BAN, None if time is None else timezone.now() + time, reason)


def restrict(name: str, whom: Person, by: Person, kind: str, until: datetime | None, reason: str) -> None:
    if not whom.key:
        raise Refused(_("Nobody who could be told from others has said this."), code="bad_frame")
    if moderates(name, whom):
        raise Refused(_("She keeps order here herself: that has to be taken from her first."), code="forbidden")
    with keeping(name, by) as room:
        fields = {"until": until, "reason": reason, "at": timezone.now()} | whose(whom)
        Restriction.objects.update_or_create(room=room, kind=kind, key=whom.key, defaults=fields)
        note(room, by, kind, whom, until=until, reason=reason)
        by_heart.changed()
        if kind == Restriction.Kind.BAN:
            RoomTopic(room=name).recheck()
            for member in Member.objects.filter(room=room, user=whom.user_id):
                membership.end(room, member)


def lift(name: str, key: int, by: Person) -> None:
    """The restriction with that primary key ends now."""
    with keeping(name, by) as room:
        row = Restriction.objects.filter(pk=key, room=room).first()
        if row is None:
            return
        note(room, by, f"un{row.kind}", Person(row.key, row.name, not row.user_id, user_id=row.user_id))
        row.delete()
        by_heart.changed()


# --- The room --------------------------------------------------------------------------------------------


def close(name: str, by: Person, reason: str = "") -> None:
    """Everybody may read, and nobody may write any more."""
    rule(name, by, "close", reason, read_only=True)


def reopen(name: str, by: Person) -> None:
    rule(name, by, "reopen", read_only=False)


def slow(name: str, seconds: int, by: Person) -> None:
    """One message of a person in so many seconds; 0 for any number."""
    rule(name, by, "slow", detail=str(seconds), slow_seconds=max(0, min(seconds, LONGEST)))


def rule(name: str, by: Person, verb: str, reason: str = "", detail: str = "", **rules: Any) -> None:
    with keeping(name, by) as room:
        row, _made = Rules.objects.update_or_create(room=room, defaults=rules)
        note(room, by, verb, reason=reason, detail=detail)
        by_heart.changed()
        RoomTopic(room=name).signal({"rules": {"read_only": row.read_only, "slow_seconds": row.slow_seconds}})


def rename(name: str, to: str, by: Person) -> str:
    """Who is there is led to the room under its other name, which is returned, as is who comes by an old one."""
    with keeping(name, by) as room:
        if room.kind == Kind.DIRECT:
            raise Refused(_("A room of two has no name of its own."), code="forbidden")
        if room.kind == Kind.CLOSED:  # the name of which means nothing
            room.title = to
            room.save(update_fields=["title"])
            note(room, by, "rename", detail=to)
            return name
        try:
            to = checked_name("-".join(to.split()))
        except ValueError as why:
            raise Refused(str(why), code="bad_frame") from None
        if to != name:
            move(room, to)
            note(room, by, "rename", detail=name)
            by_heart.changed()
    return to


def move(room: Room, to: str) -> None:
    name = room.name
    taken = Refused(_("There is a room of that name, or was one."), code="conflict")
    if FormerName.objects.filter(name=to).exclude(room=room).exists():
        raise taken
    try:
        with transaction.atomic():
            room.name = to
            room.save()
    except (IntegrityError, Conflict):
        raise taken from None
    FormerName.objects.filter(name=to).delete()
    FormerName.objects.create(name=name, room=room)
    kept = list(FormerName.objects.filter(room=room).order_by("-at").values_list("pk", flat=True))
    FormerName.objects.filter(name__in=kept[NAMES_KEPT:]).delete()

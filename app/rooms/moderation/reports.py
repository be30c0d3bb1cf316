"""What people find should not stand in a room, until somebody who keeps order there has looked at it."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from rooms.models import Room
from rooms.moderation.models import Report
from rooms.moderation.slowly import identity
from rooms.moderation.verbs import said, whose
from rooms.saying import GONE, body_of
from rooms.topics import RoomTopic
from topics import Person, Refused, rates

MOST: Final = 500  # waiting, of one room
SHOWN: Final = 50  # messages
A_SECOND: Final = 1 / 60  # of one person,
AT_ONCE: Final = 10

OFTEN: Final = _("You have reported very often: wait a moment.")
AGAIN: Final = _("You have reported this message before.")
FULL: Final = _("Very much has been reported in this room: whoever keeps order here has to look at that first.")


class Reported(NamedTuple):
    """A message, and what was said about it. It has no words where it was removed by its author meanwhile."""

    room: str
    seq: int
    author: str
    words: str
    reports: list[Report]


def report(name: str, seq: int, person: Person, reason: str) -> None:
    """Raises Refused. Anybody, once about each message."""
    if said(name, seq).retracted:
        raise Refused(GONE, code="bad_frame")
    if rates.seldom("reports", person, A_SECOND, AT_ONCE):
        raise Refused(str(OFTEN), code="rate_limited")
    with transaction.atomic():
        room = Room.objects.select_for_update().get(name=name)
        if Report.objects.filter(room=room, resolved_at=None).count() >= MOST:
            raise Refused(str(FULL), code="rate_limited")
        fields = whose(person) | {"key": identity(person), "reason": reason}
        _row, made = Report.objects.get_or_create(room=room, seq=seq, key=fields["key"], defaults=fields)
    if not made:
        raise Refused(str(AGAIN), code="conflict")


def waiting(name: str) -> int:
    return Report.objects.filter(room__name=name, resolved_at=None).count()


def queue(name: str) -> list[Reported]:
    """The messages that were reported, the first one first."""
    rows = Report.objects.filter(room__name=name, resolved_at=None).select_related("user").order_by("id")
    about: dict[int, list[Report]] = {}
    for row in rows:
        about.setdefault(row.seq, []).append(row)
    return list(_shown(name, dict(list(about.items())[:SHOWN])))


def _shown(name: str, about: dict[int, list[Report]]) -> Iterable[Reported]:
    there = {event.seq: event for event in RoomTopic(room=name).numbered(about)}
    for seq, reports in about.items():
        event = there.get(seq)
        words = "" if event is None or event.retracted else body_of(event.data) or ""
        yield Reported(name, seq, event.by.name if event and event.by and words else "", words, reports)

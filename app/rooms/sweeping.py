"""Rooms in which nothing was ever said go after a day. Who comes to such a room later makes it again as it was."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from rooms.models import Making, Room

EMPTY: Final = timedelta(days=1)  # that an empty room is kept for whoever opened it by the lobby's form
COUNTED: Final = timedelta(days=7)  # that is remembered who made a room, for the lobby's order
AT_ONCE: Final = 500  # rows of one transaction


def sweep(inside: Collection[int] = ()) -> int:
    """Removes some of the rooms that are empty, and returns how many: fewer than AT_ONCE when no more are left.

    Rooms that people are `inside` count as opened now, so that no other process sweeps them for a day either.
    """
    now = timezone.now()
    if inside:
        Room.objects.filter(pk__in=inside, seq=0).update(changed_at=now)
    with transaction.atomic():
        # Locked, and so still empty when it is deleted. One that somebody holds is being spoken in.
        empty = Room.objects.select_for_update(skip_locked=True).filter(seq=0, changed_at__lt=now - EMPTY)
        swept = list(empty.order_by("changed_at").values_list("pk", flat=True)[:AT_ONCE])
        Room.objects.filter(pk__in=swept).delete()
    Making.objects.filter(pk__in=Making.objects.filter(at__lt=now - COUNTED).values("pk")[:AT_ONCE]).delete()
    return len(swept)

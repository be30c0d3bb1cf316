"""Open rooms in which nothing was ever said go after a week, and with them who has made which room.

Who is in such a room notices nothing: it is as it was before anybody had made it.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from rooms.converters import valid_name
from rooms.models import Kind, Making, Room
from rooms.topics import RoomTopic

KEPT: Final = timedelta(days=7)  # that an empty room is, and that is remembered who made a room, for the lobby's order
AT_ONCE: Final = 20  # rooms looked at whenever one is opened by the lobby's form: more than that adds


def sweep() -> int:
    """Looks at the next rooms that were made so long ago, removes the empty ones, and returns how many it looked at.

    Fewer than AT_ONCE when no more are left.
    """
    with transaction.atomic():
        old = Making.objects.filter(at__lt=timezone.now() - KEPT).order_by("at")[:AT_ONCE]
        keys = list(old.values_list("pk", flat=True))
        # Locked, and so not just being made by a first message. What is one all the same finds its log.
        # A closed one that goes would not be as it was: its members would not find it.
        for room in Room.objects.select_for_update(skip_locked=True).filter(pk__in=keys, kind=Kind.OPEN):
            if valid_name(room.name) and not RoomTopic(room=room.name).position().seq:
                room.forget()
        Making.objects.filter(pk__in=keys).delete()
    return len(keys)

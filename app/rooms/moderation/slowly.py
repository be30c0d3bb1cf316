"""Slow mode: one message of a person in so many seconds, over all processes. Who keeps order there may say more."""

from datetime import timedelta
from math import ceil
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rooms.models import Room
from rooms.moderation import force
from rooms.moderation.models import Spoken
from rooms.roles import moderates
from topics import Person, Refused

LONGEST: Final = 3_600  # seconds
LIMIT: Final = "rate_limited"  # which every client knows to come back after


def speak(name: str, person: Person, seconds: int) -> None:
    """Somebody says something there. Raises Refused where it is too early."""
    if moderates(name, person):
        return
    room = Room.objects.filter(name=name).values_list("pk", flat=True).first()
    if room is None:
        return
    key, now = identity(person), timezone.now()
    with transaction.atomic():
        row, made = Spoken.objects.select_for_update().get_or_create(room_id=room, key=key, defaults={"at": now})
        early = 0.0 if made else seconds - (now - row.at).total_seconds()
        if early <= 0 and not made:
            row.at = now
            row.save(update_fields=["at"])
        if made:
            Spoken.objects.filter(room=room, at__lt=now - timedelta(seconds=LONGEST)).delete()
    if early > 0:
        detail = _("Slow mode: one message every {seconds} seconds. Yours can be sent in {rest}.")
        raise Refused(detail.format(seconds=seconds, rest=f"{ceil(early)} s"), code=LIMIT, retry_after=early)


def identity(person: Person) -> str:
    """Guests who are not known are one at each address."""
    return person.key if person.known else f"address:{person.address}"


def admit(name: str, person: Person) -> None:
    """For pages: whether she may say something there now. Raises Refused."""
    if seconds := force.check(name, person, force.WRITE).slow_seconds:
        speak(name, person, seconds)

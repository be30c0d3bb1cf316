"""Which browsers want to be told, of what, and what they have not been told yet.

No constraints to rooms and people: the version before this one, which does not know these tables, deletes both.
"""

from typing import Any, ClassVar, Final

from django.db import models
from django.utils import timezone

from rooms.models import Room

MAX_ENDPOINT: Final = 1000
MAX_PERSON: Final = 80

ALL: Final = "all"
MENTIONS: Final = "mentions"
NOTHING: Final = "nothing"


class Subscription(models.Model):
    """A browser to which somebody wants news to be pushed: the push service's address for it, and keys to encrypt by.

    `person` is her key, `public_key` what events have of it. `session` is that by which she is logged in there, empty
    for a guest: with it the subscription ends. `words`: what was said may be shown.
    """

    person = models.CharField(max_length=MAX_PERSON, db_index=True)
    public_key = models.CharField(max_length=16, db_index=True)
    session = models.CharField(max_length=40, blank=True, db_index=True)
    endpoint = models.CharField(max_length=MAX_ENDPOINT, unique=True)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    words = models.BooleanField(default=False)
    language = models.CharField(max_length=20, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"a browser of {self.person}"


class Level(models.Model):
    """Of what in a room somebody wants to be told, where she has said so."""

    room = models.ForeignKey(Room, models.CASCADE, db_constraint=False, related_name="+")
    person = models.CharField(max_length=MAX_PERSON)
    level = models.CharField(max_length=10)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["person", "room"], name="one_level_a_person_and_room"),
        ]

    def __str__(self) -> str:
        return f"{self.person} wants {self.level} of {self.room_id}"


class Due(models.Model):
    """What a browser is to be told of a room: that there is something new up to that number.

    What comes before it is sent goes into the same row, so that ten mentions are one notification. `mention`: there is
    one among it.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, models.CASCADE, db_constraint=False, related_name="+")
    mention = models.BooleanField()
    seq = models.PositiveBigIntegerField()
    next_at = models.DateTimeField(db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["subscription", "room"], name="one_push_a_browser_and_room"),
        ]
        verbose_name_plural = "due"

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq} for {self.subscription_id}"


class Reached(models.Model):
    """Up to which number of a room's log it has been noted who is to be told."""

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, db_constraint=False, related_name="+")
    seq = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.room_id} up to {self.seq}"

"""What lasts of keeping order. Nothing here has words that somebody has said.

Without constraints on other tables, as the version before may delete rooms and accounts meanwhile.
"""

from typing import Any, ClassVar, Final

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q
from django.utils import timezone

from rooms.converters import MAX_NAME
from rooms.models import Room
from topics.people import FORMER

MAX_KEY: Final = 80
MAX_REASON: Final = 200
MAX_PERSON_NAME: Final = 150


def the_room(**options: Any) -> Any:
    return models.ForeignKey(Room, models.CASCADE, related_name="+", db_constraint=False, **options)


def an_account() -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False
    )


def called(row: models.Model, field: str) -> str:
    """The name of the account; empty where that is closed, or was deleted."""
    try:
        user = getattr(row, field)
    except ObjectDoesNotExist:
        return ""
    return str(user.get_username()) if user is not None and user.is_active else ""


class Whom(models.Model):
    """Somebody: by her key. Of an account the name is looked up, and goes with it; of a guest it is kept as it was."""

    key = models.CharField(max_length=MAX_KEY)
    user = an_account()
    name = models.CharField(max_length=MAX_PERSON_NAME, blank=True)

    class Meta:
        abstract = True

    @property
    def who(self) -> str:
        return called(self, "user") or self.name or (FORMER if self.key else "")


class Rules(models.Model):
    """Of a room. `read_only`: nobody writes. `slow_seconds`: between two messages of one person."""

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, related_name="rules", db_constraint=False)
    read_only = models.BooleanField(default=False)
    slow_seconds = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"rules of {self.room_id}"


class FormerName(models.Model):
    """What a room was called before: its old address leads to it, and no other room takes the name."""

    name = models.CharField(max_length=MAX_NAME, primary_key=True)
    room = the_room()
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Restriction(Whom):
    """Somebody is muted or banned in a room, `until` then or (null) until it is lifted."""

    class Kind(models.TextChoices):
        MUTE = "mute"
        BAN = "ban"

    room = models.ForeignKey(Room, models.CASCADE, related_name="restrictions", db_constraint=False, db_index=False)
    kind = models.CharField(max_length=4, choices=Kind)
    until = models.DateTimeField(null=True, blank=True, db_index=True)
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["room", "kind", "key"], name="one_restriction_of_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.who}"


class BarredAddress(models.Model):
    """Where a banned guest has come from: no guest from there comes in for as long."""

    restriction = models.ForeignKey(Restriction, models.CASCADE, related_name="addresses", db_constraint=False)
    address = models.CharField(max_length=64)
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["restriction", "address"], name="one_row_an_address"),
        ]

    def __str__(self) -> str:
        return f"an address of {self.restriction_id}"


class Action(Whom):
    """What was done: by whom, to whom or to which message. Kept, also where the room goes; shown to its moderators and
    to staff.
    """

    room = models.ForeignKey(Room, models.SET_NULL, null=True, related_name="+", db_constraint=False, db_index=False)
    room_name = models.CharField(max_length=MAX_NAME)
    by = an_account()
    verb = models.CharField(max_length=12)
    seq = models.PositiveBigIntegerField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    detail = models.CharField(max_length=MAX_NAME, blank=True)  # the other name, or the seconds
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["room", "-id"], name="actions_of_a_room")]

    def __str__(self) -> str:
        return f"{self.verb} in {self.room_name}"

    @property
    def by_whom(self) -> str:
        return called(self, "by") or FORMER


class Report(Whom):
    """Somebody finds that a message should not stand there. `key`, `user` and `name` are of who says so."""

    room = the_room(db_index=False)
    seq = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=MAX_REASON)
    at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, blank=True)  # removed or dismissed
    by = an_account()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["room", "seq", "key"], name="one_report_a_person"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["room", "id"], condition=Q(resolved_at=None), name="open_reports_of_a_room"),
        ]

    def __str__(self) -> str:
        return f"about {self.seq} in {self.room_id}"


class Spoken(models.Model):
    """When somebody has last said something in a room with slow mode. Forgotten after an hour."""

    room = the_room(db_index=False)
    key = models.CharField(max_length=MAX_KEY)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["room", "key"], name="one_moment_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.key} in {self.room_id}"


class Hidden(models.Model):
    """Whom an account does not want to read. `key` is the public one."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["user", "key"], name="hidden_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} hides {self.key}"

"""What lasts: rooms, the numbered messages said in them, and which installation it all belongs to."""

import secrets
from collections.abc import Collection
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from rooms.converters import MAX_NAME, checked_name
from rooms.frames import MAX_BODY, MAX_ID

MAX_AUTHOR = 150  # as long as Django lets a user's name be


def new_epoch() -> str:
    return secrets.token_hex(8)


class Installation(models.Model):
    """One row: the name of all processes that share this database, in spaces that they share with others.

    A Redis may serve several installations. Rooms there could not be told apart by their keys, which begin at 1 in
    each database. A copy of a database is another installation: `new_epoch` gives it a name of its own.
    """

    name = models.CharField(max_length=16, default=new_epoch, editable=False)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def identity(cls) -> str:
        """The name, made when it is asked for the first time."""
        return cls.objects.get_or_create(pk=1)[0].name


class Rooms(models.Manager["Room"]):
    def enter(self, name: str) -> "Room":
        """The room of that name, made if nobody was there yet. Raises InvalidRoomName."""
        name = checked_name(name)
        return self.filter(name=name).first() or self.get_or_create(name=name)[0]

    def enter_all(self, names: Collection[str]) -> dict[str, "Room"]:
        """The same for many names, which are checked, in a constant number of queries."""
        rooms = {room.name: room for room in self.filter(name__in=names)}
        missing = sorted(set(names) - rooms.keys())  # sorted, so that two who make the same never wait for each other
        if missing:
            self.bulk_create([Room(name=name) for name in missing], ignore_conflicts=True)
            rooms |= {room.name: room for room in self.filter(name__in=missing)}
        return rooms

    def recent(self, limit: int) -> models.QuerySet["Room"]:
        """Rooms in which something was said, the latest first."""
        return self.filter(seq__gt=0).order_by("-changed_at")[:limit]


class Room(models.Model):
    """A room and the state of its log.

    `seq` is the number of its last message; whoever appends holds this row's lock until COMMIT, so that
    numbers become visible in order. `epoch` names this very log: a log restored from a backup gets another
    one, because numbers given since the backup mean other messages there.
    """

    name = models.CharField(max_length=MAX_NAME, unique=True)
    epoch = models.CharField(max_length=16, default=new_epoch, editable=False)
    seq = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    objects: ClassVar[Rooms] = Rooms()

    def __str__(self) -> str:
        return self.name

    def latest(self, limit: int = 50) -> list["Message"]:
        """The last messages, oldest first."""
        return list(self.messages.order_by("-seq")[:limit])[::-1]


class Message(models.Model):
    """Something said. `client_id` is the sender's own name for it: the same one again is the same message."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages", db_index=False)  # the constraints have one
    seq = models.PositiveBigIntegerField()
    client_id = models.CharField(max_length=MAX_ID)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    author = models.CharField(max_length=MAX_AUTHOR)
    guest = models.BooleanField()
    body = models.TextField(max_length=MAX_BODY)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["room", "seq"], name="one_message_a_number"),
            models.UniqueConstraint(fields=["room", "client_id"], name="one_message_an_id"),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq}"

    @property
    def person(self) -> dict[str, Any]:
        return {"name": self.author, "guest": self.guest}

"""What lasts: rooms, and the numbered messages said in them."""

import secrets
from collections import Counter
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import salted_hmac

from rooms.converters import MAX_NAME, checked_name
from rooms.frames import MAX_BODY
from topics.wording import MAX_ID

MAX_AUTHOR = 150  # as long as Django lets a user's name be
PLACES_OF_PERSON: Final = 3  # in the lobby, for rooms made lately
PLACES_OF_ADDRESS: Final = 10
CANDIDATES: Final = 10  # for each place
SMALLEST_KEY: Final = 2**40  # of a room made by its name; the database itself counts up from 1
LARGEST_KEY: Final = 2**62  # SQLite counts on from the largest key that was ever used, which must not be its last


def new_epoch() -> str:
    return secrets.token_hex(8)


class Lineage(models.Model):
    """One row. What the epochs of rooms that nobody has made yet are derived from.

    It changes where such a room could get numbers that a log of the same name has given before to other messages: when
    a backup has been restored, and when a room with messages has been deleted.
    """

    salt = models.CharField(max_length=16, default=new_epoch, editable=False)

    @classmethod
    def current(cls) -> str:
        return cls.objects.get_or_create(pk=1)[0].salt

    @classmethod
    def renew(cls) -> None:
        cls.objects.update_or_create(pk=1, defaults={"salt": new_epoch()})


class Rooms(models.Manager["Room"]):
    """Looking for a room makes none. One that nobody has made yet is an unsaved object with the key and the epoch that
    it will have: every process derives the same, so sockets in it hear the first message as they hear all others.
    """

    def named(self, name: str) -> "Room":
        """The room of that name, made or not. Raises InvalidRoomName."""
        name = checked_name(name)
        return self.all_named([name])[name]

    def all_named(self, names: Collection[str]) -> dict[str, "Room"]:
        """The same for many names, which are checked: by one query, and some more where one is not made."""
        rooms = {room.name: room for room in self.filter(name__in=names)}
        if missing := set(names) - rooms.keys():
            salt = Lineage.current()
            rooms |= {room.name: room for room in self._to_be(missing, salt)}
        return rooms

    def _to_be(self, names: Collection[str], salt: str) -> Iterator["Room"]:
        """Each with the key that it is to have: its next one where a room that has another name now has the first.

        One that somebody has made since it was looked for by name is that room.
        """
        turn = 0
        while names:
            keys = {key_of(name, turn): name for name in names}
            there = self.in_bulk(keys)
            yield from (Room(pk=key, name=keys[key], epoch=epoch_of(key, salt)) for key in keys.keys() - there.keys())
            yield from (room for key, room in there.items() if room.name == keys[key])
            names = [keys[key] for key, room in there.items() if room.name != keys[key]]
            turn += 1

    def enter(self, name: str) -> "Room":
        """The room of that name, made if it was not, whoever asks. Raises InvalidRoomName."""
        room = self.named(name)
        if room.is_made:
            return room
        self.make([room])
        return self.named(name)

    def make(self, rooms: Collection["Room"]) -> None:
        """Those of them that are still as `all_named` would give them. One that somebody else makes is left as it is.

        In the order of their keys, so that two who make the same never wait for each other.
        """
        salt = Lineage.current()
        still = {room.pk: room.name for room in rooms if room.epoch == epoch_of(room.pk, salt)}
        # New objects: those that are given belong to sockets, and would count as made even if this is taken back.
        made = [Room(pk=pk, name=name, epoch=epoch_of(pk, salt)) for pk, name in sorted(still.items())]
        self.bulk_create(made, ignore_conflicts=True)

    def recent(self, limit: int) -> models.QuerySet["Room"]:
        """Rooms in which something was said, the latest first.

        Where not all have a place, those go first of which one maker, or one address, has made many lately.
        """
        said = self.filter(seq__gt=0).order_by("-changed_at")
        latest: Any = said.values_list("pk", "making__person_key", "making__address")[: CANDIDATES * limit]
        people, addresses = Counter[str](), Counter[str]()
        ranked: list[list[int]] = [[], [], []]
        for key, person, address in latest:
            if person is None:  # made long ago
                ranked[0].append(key)
                continue
            people[person] += 1
            addresses[address] += 1
            crowd = 2 if people[person] > PLACES_OF_PERSON else int(addresses[address] > PLACES_OF_ADDRESS)
            ranked[crowd].append(key)
        return said.filter(pk__in=[key for keys in ranked for key in keys][:limit])


@lru_cache(maxsize=10_000)
def key_of(name: str, turn: int = 0) -> int:
    """A primary key for a room that is not made yet: beyond those that the database chooses, and within its type."""
    digest = salted_hmac(f"rooms.key.{turn}", name, algorithm="sha256").digest()
    return int.from_bytes(digest[:8]) % (LARGEST_KEY - SMALLEST_KEY) + SMALLEST_KEY


def epoch_of(key: int, salt: str) -> str:
    return salted_hmac(f"rooms.epoch.{salt}", str(key), algorithm="sha256").hexdigest()[:16]


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

    @property
    def is_made(self) -> bool:
        return not self._state.adding

    def latest(self, limit: int = 50) -> list["Message"]:
        """The last messages, oldest first."""
        return list(self.messages.order_by("-seq")[:limit])[::-1] if self.is_made else []


@receiver(post_delete, sender=Room)
def renew_lineage(instance: Room, **_: Any) -> None:
    """A room of the same name will be another log."""
    if instance.seq:
        Lineage.renew()


class Making(models.Model):
    """By whom, and from which address, a room was made. Kept for as long as somebody's share of rooms is counted.

    A table of its own: an index on the room's own row would be written at each message.
    """

    room = models.OneToOneField(Room, models.CASCADE, primary_key=True, db_constraint=False)
    person_key = models.TextField()
    address = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["person_key", "at"], name="made_by_a_person"),
            models.Index(fields=["address", "at"], name="made_from_an_address"),
        ]


class Message(models.Model):
    """Something said. `client_id` is the sender's own name for it: the same one again is the same message.

    `person_key` tells whose name it is, see `Person.id_space`.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages", db_index=False)  # the constraints have one
    seq = models.PositiveBigIntegerField()
    client_id = models.CharField(max_length=MAX_ID)
    person_key = models.TextField(default="", db_default="", editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    author = models.CharField(max_length=MAX_AUTHOR)
    guest = models.BooleanField()
    body = models.TextField(max_length=MAX_BODY)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["room", "seq"], name="one_message_a_number"),
            models.UniqueConstraint(fields=["room", "client_id", "person_key"], name="one_message_an_id_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq}"

    @property
    def person(self) -> dict[str, Any]:
        return {"name": self.author, "guest": self.guest}

    def seems_by(self, user_id: Any, name: str) -> bool:
        """Whether a message without a `person_key` is this user's, or of a guest of this name."""
        if self.user_id is not None or user_id is not None:
            return bool(self.user_id == user_id)
        return self.guest and self.author == name

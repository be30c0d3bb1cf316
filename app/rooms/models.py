"""What lasts of rooms beside what is said in them, which topics keep: which there are, and who has made them."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar, Final, NamedTuple

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from rooms.converters import MAX_NAME, valid_name

PLACES_OF_PERSON: Final = 3  # in the lobby, for rooms made lately
PLACES_OF_ADDRESS: Final = 10
CANDIDATES: Final = 10  # for each place
MAX_LIKENESS: Final = 150  # of a name's beginning
MAX_TITLE: Final = 64


class Kind(models.TextChoices):
    """Who may come in: everybody, a room's members, or the two people whose room it is."""

    OPEN = "open"
    CLOSED = "closed"
    DIRECT = "direct"


class Role(models.TextChoices):
    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"


class Talk(NamedTuple):
    """A room in which something was said: how many messages, and when the last one came."""

    name: str
    seq: int
    changed_at: datetime


class Rooms(models.Manager["Room"]):
    def recent(self, limit: int, *, without: Collection[str] = (), before: Talk | None = None) -> list[Talk]:
        """Rooms in which something was said, the latest first: those after `before`, the last of the page before.

        Where not all have a place, those go first of which one maker, or one address, has made many lately.
        """
        from rooms.topics import RoomTopic

        last = before and (RoomTopic(room=before.name), before.changed_at)
        found = RoomTopic.recent(CANDIDATES * limit, before=last)
        latest = [Talk(topic.room, seq, at) for topic, seq, at in found if topic.room not in without]
        if len(latest) <= limit:
            return latest
        makers = Making.objects.filter(room__name__in=[talk.name for talk in latest])
        made = {name: who for name, *who in makers.values_list("room__name", "person_key", "address")}
        people, addresses = Counter[str](), Counter[str]()
        ranked: list[list[str]] = [[], [], []]
        for talk in latest:
            if talk.name not in made:  # long ago
                ranked[0].append(talk.name)
                continue
            person, address = made[talk.name]
            people[person] += bool(person)  # of guests without a cookie nobody knows which are one
            addresses[address] += 1
            crowd = 2 if people[person] > PLACES_OF_PERSON else int(addresses[address] > PLACES_OF_ADDRESS)
            ranked[crowd].append(talk.name)
        shown = set(list(chain(*ranked))[:limit])
        return [talk for talk in latest if talk.name in shown]


class Room(models.Model):
    """A room that has been made. What is said in it is in the log of its topic, which has its name.

    The name of one that is closed or direct means nothing: what people call a closed one is its title.

    One that is deleted takes its log along; one that gets another name by save() does so, too. `QuerySet.update` of a
    name would leave the log behind.
    """

    name = models.CharField(max_length=MAX_NAME, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.OPEN, db_default=Kind.OPEN, editable=False)
    title = models.CharField(max_length=MAX_TITLE, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Rooms] = Rooms()

    _stored_name: str | None = None
    _keeps_log = False

    class Meta:
        db_table = "rooms_opened"  # `rooms_room` is what the version before finds while it serves

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_db(cls, *args: Any, **options: Any) -> "Room":
        room = super().from_db(*args, **options)
        room._stored_name = room.__dict__.get("name")
        return room

    def save(self, *args: Any, **options: Any) -> None:
        """Who is in a room that gets another name is told that there is no such room."""
        from rooms.topics import RoomTopic

        before = self._stored_name
        with transaction.atomic():
            super().save(*args, **options)
            if before is not None and before != self.name and valid_name(before):
                RoomTopic(room=before).move(RoomTopic(room=self.name))
        self._stored_name = self.name

    def forget(self) -> None:
        """Removes the row alone: whatever is said there makes it again."""
        self._keeps_log = True
        self.delete()


@receiver(post_delete, sender=Room)
def delete_log(instance: Room, **_: Any) -> None:
    from rooms.topics import RoomTopic

    if valid_name(instance.name) and not instance._keeps_log:
        RoomTopic(room=instance.name).delete()


class Making(models.Model):
    """By whom, and from which address, a room was made. Kept for as long as somebody's share of rooms is counted.

    A table of its own: it is forgotten long before the room.
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


class Member(models.Model):
    """Somebody with an account has a part in a room. Who may come into an open one needs none.

    Without constraints on other tables, as the version before may delete rooms and accounts meanwhile.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="members", db_constraint=False, db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False)
    role = models.CharField(max_length=9, choices=Role, default=Role.MEMBER)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["room", "user"], name="one_membership_a_person"),
            models.UniqueConstraint(fields=["room"], condition=Q(role="owner"), name="one_owner_a_room"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.room_id}"


class Invitation(models.Model):
    """Whoever has its link becomes a member, until it has expired or so many have used it. Deleting the row revokes it.

    Only a digest of the link's secret is kept: the secret is random, so nothing slower than SHA-256 is needed.
    """

    room = models.ForeignKey(Room, models.CASCADE, related_name="invitations", db_constraint=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    uses = models.PositiveIntegerField(null=True, blank=True)  # as many as are left; null for any number

    def __str__(self) -> str:
        return f"to {self.room_id} until {self.expires_at}"


class AccountName(models.Model):
    """What an account's name looks like, by which a guest's is compared with it: see rooms.likeness."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="looks", db_constraint=False
    )
    likeness = models.CharField(max_length=MAX_LIKENESS, db_index=True)

    def __str__(self) -> str:
        return self.likeness


from rooms.moderation import models as moderation_models  # noqa: E402, F401  (found where Django looks for models)

"""What lasts: one log a topic, the numbered events of all logs in one table, and who may come in without a cookie."""

import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver
from django.utils import timezone

from topics.wording import MAX_NAME

MAX_ID = 64  # of an event, as its author calls it
MAX_KEY = 80  # of a person
MAX_ADDRESS = 64
MAX_TOKEN_NAME = 80
MAX_PERSON_NAME = 150  # as long as Django lets a user's name be


def new_epoch() -> str:
    return secrets.token_hex(8)


class Installation(models.Model):
    """One row: the name of all processes that share this database, in spaces that they share with others.

    A Redis may serve several installations. Logs there could not be told apart by their keys, which are the same in
    each database. A copy of a database is another installation: `new_epoch` gives it a name of its own.
    """

    name = models.CharField(max_length=16, default=new_epoch, editable=False)
    # What the epochs of logs that nobody has made yet follow from. It changes where such a log could get numbers that
    # one of the same name has given before: when a log is deleted, and when a backup was restored.
    lineage = models.CharField(max_length=16, default=new_epoch, db_default="", editable=False)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def here(cls) -> "Installation":
        """Made when it is asked for the first time."""
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def identity(cls) -> str:
        return cls.here().name

    @classmethod
    def renew(cls, *fields: str) -> None:
        cls.objects.update_or_create(pk=1, defaults={field: new_epoch() for field in fields})


class Log(models.Model):
    """The state of a topic's log.

    `seq` is the number of its last event; whoever appends holds this row's lock until COMMIT, so that numbers
    become visible in order. `pruned` is the last number that is not kept any more. `epoch` names this very log: a
    log restored from a backup gets another one, because numbers given since the backup mean other events there.
    `maker` is the key of the person, and `made_from` the address, whose client sent the first event; empty where a
    program made the log.
    """

    name = models.CharField(max_length=MAX_NAME, unique=True)
    epoch = models.CharField(max_length=16, default=new_epoch, editable=False)
    seq = models.PositiveBigIntegerField(default=0, editable=False)
    pruned = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    maker = models.CharField(max_length=MAX_KEY, blank=True, default="", db_default="", editable=False)
    made_from = models.CharField(max_length=MAX_ADDRESS, blank=True, default="", db_default="", editable=False)

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["maker", "created_at"], condition=~Q(maker=""), name="logs_of_a_maker"),
            models.Index(fields=["made_from", "created_at"], condition=~Q(made_from=""), name="logs_from_an_address"),
        ]

    def __str__(self) -> str:
        return self.name


@receiver(post_delete, sender=Log)
def renew_lineage(instance: Log, **_: Any) -> None:
    """A log of the same name will be another one."""
    if instance.seq:
        Installation.renew("lineage")


class Entry(models.Model):
    """What stands in a log: an event, or a change of an earlier one.

    `client_id` is the author's own name for it: the same author's same one again is the same event. `data` is JSON
    text. A change has the number it changes in `about` and no data of its own: replay shows the result, which is
    in the changed event's row. What was retracted has no data any more.
    """

    log = models.ForeignKey(Log, models.CASCADE, related_name="entries", db_index=False)  # the constraints have one
    seq = models.PositiveBigIntegerField()
    client_id = models.CharField(max_length=MAX_ID)
    author = models.CharField(max_length=MAX_KEY, blank=True)  # a person's key; empty for nobody
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=MAX_PERSON_NAME, blank=True)
    guest = models.BooleanField(default=False)
    data = models.TextField(default="null")
    about = models.PositiveBigIntegerField(null=True, blank=True)
    change = models.PositiveBigIntegerField(null=True, blank=True)  # the number of the last change of this one
    retracted = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["log", "seq"], name="one_entry_a_number"),
            models.UniqueConstraint(fields=["log", "author", "client_id"], name="one_entry_an_author_and_id"),
        ]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.log_id}/{self.seq}"


class Growing(models.Model):
    """An event that is being written, for as long as it is. Its text so far is in the event's own row.

    Whoever writes it renews `heard_at`. It lives beside the event so that this changes no index of that, and has no
    constraints so that deleting events looks for nothing here: what is left of one is removed as what nobody writes is.
    """

    entry = models.OneToOneField(
        Entry, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="growing"
    )
    log = models.ForeignKey(Log, models.DO_NOTHING, db_constraint=False, related_name="+")
    heard_at = models.DateTimeField(db_default=Now())
    cancelled = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return f"{self.entry_id} is being written"


class Read(models.Model):
    """How far somebody has read a topic."""

    log = models.ForeignKey(Log, models.CASCADE, related_name="reads", db_index=False)
    reader = models.CharField(max_length=MAX_KEY)
    seq = models.PositiveBigIntegerField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["log", "reader"], name="one_read_a_reader"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["reader"], name="reads_of_a_reader")]

    def __str__(self) -> str:
        return f"{self.reader} has read {self.log_id} up to {self.seq}"


class Words(models.Model):
    """What is searched of an event, as topics.searching.words has it. It follows the log: see topics.searching.filling.

    No constraints: the version before this one, which does not know the table, deletes logs, and deleting events looks
    for nothing here.
    """

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="words")
    log = models.ForeignKey(Log, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    text = models.TextField()

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["log", "entry"], name="words_of_a_log")]
        verbose_name_plural = "words"

    def __str__(self) -> str:
        return f"what is searched of {self.entry_id}"


class Filled(models.Model):
    """Up to which number a log's words are there."""

    log = models.OneToOneField(Log, models.CASCADE, primary_key=True, db_constraint=False, related_name="filled")
    seq = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.log_id} can be searched up to {self.seq}"


@receiver(pre_delete, sender=Log)
def stop_filling(instance: Log, **_: Any) -> None:
    """Waits for whoever fills the log's words just now, so that they go with it."""
    Filled.objects.filter(log=instance).delete()


class Notice(models.Model):
    """Something that all processes are to heed: look at somebody or a topic anew, or (`out`) put them out.

    `person` is a key, `topic` a name; one of the two is empty. Rows are kept for some minutes.
    """

    person = models.CharField(max_length=MAX_KEY, blank=True)
    topic = models.CharField(max_length=MAX_NAME, blank=True)
    out = models.BooleanField()
    at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return f"{'out' if self.out else 'look'}: {self.person or self.topic}"


class Token(models.Model):
    """By which a program comes in as its user, within a scope; see topics.tokens.tokens. Deleting the row revokes it.

    Only a digest of the secret is kept: the secret has 256 random bits, so nothing slower than SHA-256 is needed.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=MAX_TOKEN_NAME, help_text="What it is for: a bot, a phone.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    topics = models.TextField(default="*", help_text="Names of topics, one a line; * stands for any part of a name.")
    may_read = models.BooleanField(default=True)
    may_write = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def acts(self) -> str:
        return " and ".join(act for act, may in (("read", self.may_read), ("write", self.may_write)) if may)


class Ticket(models.Model):
    """Lets somebody in once, within a minute, as who she was when she asked for it.

    `session` or `token` is what it was asked by: who comes in by the ticket goes with that. `who` is the person as
    JSON, `until` the moment at which her right to be here ends, where it does.
    """

    digest = models.CharField(max_length=64, unique=True)
    who = models.TextField()
    session = models.TextField(blank=True)
    token = models.ForeignKey(Token, models.CASCADE, null=True, related_name="+")
    until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"until {self.expires_at}"


class Leaving(models.Model):
    """Somebody whose account is closed, and whose name is to go from the logs; see topics.retiring."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, db_constraint=False)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.user_id} has left"

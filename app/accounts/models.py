"""What lasts of accounts beside Django's users and sessions: who is logged in by what, and letters on their way."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

MAX_AGENT = 200  # characters of what a browser calls itself
MAX_HOST = 255
MAX_LANGUAGE = 35  # characters of its code
MAX_ADDRESS = 254  # of an e-mail address, as Django's own field


class Device(models.Model):
    """A session, and the browser that has it. No address of the network is kept.

    `session` is the session's key, whatever keeps sessions; a row whose session is over means nothing.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False)
    session = models.CharField(max_length=40, unique=True)
    agent = models.CharField(max_length=MAX_AGENT, blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)  # to the hour

    def __str__(self) -> str:
        return f"{self.user_id} since {self.began_at}"


class Letter(models.Model):
    """Somebody wants a link for a new password sent to this address, where it is an account's.

    Nobody has looked yet whether it is: so it takes no longer to ask for one that is than for one that is not. The
    link is made when the letter is sent, and stands nowhere else.
    """

    address = models.EmailField(max_length=MAX_ADDRESS)
    host = models.CharField(max_length=MAX_HOST)  # by which the site was reached, with its port
    secure = models.BooleanField()
    language = models.CharField(max_length=MAX_LANGUAGE, default="", db_default="")  # of who asked
    asked_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now, db_index=True)  # when it is tried, or tried again
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"asked for at {self.asked_at}"


class Taken(models.Model):
    """One of somebody's share of something, such as accounts made from one address. Kept for as long as it counts.

    `whose` is a digest.
    """

    what = models.CharField(max_length=20)
    whose = models.CharField(max_length=16)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["what", "whose", "at"], name="taken_of_a_share")]
        verbose_name_plural = "taken"

    def __str__(self) -> str:
        return f"{self.what} at {self.at}"

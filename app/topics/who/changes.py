"""What happens to accounts and tokens elsewhere (in a view, the admin, a shell) is told to the sockets at once.

They are looked at anew by every process. What sends no signal, as `QuerySet.update` and time do, is found by the hub,
which asks about everybody every few seconds.
"""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from realtime import hubs
from topics.delivery.live import TOPICS
from topics.models import Token
from topics.people import key_of

LOGGING_IN = {"last_login"}  # what each log-in writes


def watch() -> None:
    user_logged_out.connect(logged_out)
    post_save.connect(user_saved, sender=settings.AUTH_USER_MODEL)
    post_delete.connect(user_deleted, sender=settings.AUTH_USER_MODEL)
    post_save.connect(token_saved, sender=Token)
    post_delete.connect(token_deleted, sender=Token)


def logged_out(sender: Any, user: Any, **about: Any) -> None:
    if user is not None:
        doubt("default", key_of(user.pk))


def user_saved(
    sender: Any, instance: Any, created: bool, using: str, update_fields: Collection[str] | None, **about: Any
) -> None:
    if not created and set(update_fields or ()) != LOGGING_IN:
        doubt(using, key_of(instance.pk))


def user_deleted(sender: Any, instance: Any, using: str, **about: Any) -> None:
    doubt(using, key_of(instance.pk))


def token_saved(sender: Any, instance: Token, created: bool, using: str, **about: Any) -> None:
    if not created:
        doubt(using, key_of(instance.user_id))


def token_deleted(sender: Any, instance: Token, using: str, **about: Any) -> None:
    doubt(using, key_of(instance.user_id))


def doubt(using: str, person: str) -> None:
    """Once the change is committed, where it is part of a transaction."""
    transaction.on_commit(
        lambda: hubs.from_any_thread(TOPICS, lambda hub: hub.doubt(person=person)), using=using, robust=True
    )

"""What happens to a token (on its page, in the admin, in a shell) is told to its sockets at once.

What sends no signal, as `QuerySet.update` and time do, is found by the hub, which asks about everybody every few
seconds.
"""

from typing import Any

from django.db.models.signals import post_delete, post_save

from topics.models import Token
from topics.people import Person, key_of
from topics.putting_out import recheck


def watch() -> None:
    post_save.connect(changed, sender=Token)
    post_delete.connect(changed, sender=Token)


def changed(sender: Any, instance: Token, created: bool = False, **about: Any) -> None:
    if not created:
        recheck(user=Person(key_of(instance.user_id), "", guest=False))

"""Somebody leaves: nobody can be her from that moment on, what she has said stays, and her name goes."""

import secrets
from typing import Any, Final

from axes.utils import reset as forget_failures
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import sessions
from accounts.models import Letter
from rooms import membership
from topics import former

LAST: Final = _("Nobody else looks after this site: make another superuser first, in the admin or by `make admin`.")


class NotYet(Exception):
    """She cannot leave now: the sentence says why, and what to do before."""


def leave(user: Any) -> None:
    """Raises NotYet. The name is free at once; where it stands in logs, it goes behind: see topics.former."""
    with transaction.atomic():
        users = get_user_model()._default_manager
        superusers = users.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
        if user.is_superuser and [one.pk for one in superusers] == [user.pk]:
            raise NotYet(LAST)
        Letter.objects.filter(address__iexact=getattr(user, user.get_email_field_name())).delete()
        forget_failures(username=user.get_username())
        sessions.end_all(user)
        membership.end_all(user)
        close(user)
        former.retire(user)


def close(user: Any) -> None:
    """Nothing in the row says any more whose it was."""
    setattr(user, user.USERNAME_FIELD, f"former-{secrets.token_hex(8)}")
    setattr(user, user.get_email_field_name(), "")
    for field in ("first_name", "last_name"):
        setattr(user, field, "")
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.set_unusable_password()
    user.save()

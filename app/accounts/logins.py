"""Guessing passwords: how often somebody may be wrong, and how many passwords are checked at once.

django-axes counts wrong ones in the database, for all processes, and refuses further ones unchecked; here is how it
counts, what the refused are told, and the door in front of it.
"""

import ipaddress
import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from threading import BoundedSemaphore, Lock
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Sum
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from topics import rates
from topics.people import address_of as subscriber_of

logger = logging.getLogger(__name__)

SEATS: Final = 2  # for those whose password is checked, and who wait for it: half of gunicorn's threads stay free
BUSY_SECONDS: Final = 5
NOBODY: Final = gettext_lazy("Nobody has been logged in.")
FROM_ANYWHERE: Final = 10  # times as many failures lock an account for everybody as lock it for one address

_seats = BoundedSemaphore(SEATS)
_checking = Lock()  # a check is made to take the processor for a while


def one_at_a_time(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view that checks, or keeps, one password at a time. Who finds no seat is asked to come back."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **named)
        if not _seats.acquire(blocking=False):
            rates.met("logins_at_once")
            return refused(request, BUSY_SECONDS, _("Many people are logging in at this moment."), _("a few seconds"))
        try:
            with _checking:
                return view(request, *args, **named)
        finally:
            _seats.release()

    return wrapper


@never_cache
def refused(request: HttpRequest, seconds: int, why: str, when: str, instead: Any = NOBODY) -> HttpResponse:
    context = {"why": why, "when": when, "instead": instead}
    answer = render(request, "accounts/refused.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    answer["Retry-After"] = str(seconds)
    return answer


# --- What django-axes asks for ---------------------------------------------------------------------------


class Failures(AxesDatabaseHandler):
    """Counts wrong passwords for an account from an address, for the account from anywhere, and from the address."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """The fullest of the three counts, as if it had the first one's limit."""
        most = settings.LOGIN_FAILURES
        limits = (most, FROM_ANYWHERE * most, settings.LOGIN_FAILURES_PER_ADDRESS)
        counts = (
            attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
            for attempts in self.get_user_attempts(request, credentials)  # in AXES_LOCKOUT_PARAMETERS' order
        )
        return max(most * count // limit for count, limit in zip(counts, limits, strict=True) if limit)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **named: Any) -> None:
        """Who knows the password starts afresh, at this address and for this account alone."""
        super().user_logged_in(sender, request, user, **named)
        AccessAttempt.objects.filter(username=user.get_username(), ip_address=request.axes_ip_address).delete()


def address_of(request: HttpRequest) -> str | None:
    """The subscriber's address, or the first one of the network; None where a socket file has no address."""
    address = subscriber_of(request).partition("/")[0]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def account_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """The name that somebody tried, as far as the table of failures has room for it: Postgres cuts nothing off."""
    name = (credentials or request.POST).get("username")
    return name and name[: AccessAttempt._meta.get_field("username").max_length]


def locked_out(request: HttpRequest, *given: Any) -> HttpResponse:
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    when = ngettext("{minutes} minute", "{minutes} minutes", seconds // 60).format(minutes=seconds // 60)
    return refused(request, seconds, _("There were too many wrong passwords."), when)


@receiver(user_locked_out)
def note_lock(request: Any, username: str | None, ip_address: str | None, **_: Any) -> None:
    """One line when it begins. A name is shown only if it is one: people type passwords there, too."""
    rates.met("wrong_passwords")
    if not getattr(request, "axes_failures_since_start", None):
        return  # refused unchecked: it has begun before
    users = get_user_model()
    exists = users._default_manager.filter(**{users.USERNAME_FIELD: username}).exists()
    account = f"the account {username!r}" if exists else "an account that does not exist"
    logger.warning("too many wrong passwords for %s from %s", account, ip_address)

"""Whom a reader does not want to read: by key, for herself alone. Kept in the account; of a guest in a cookie."""

import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from rooms.moderation.models import Hidden
from topics import Person, Refused
from topics.people import COOKIE_SECONDS

COOKIE: Final = "hidden"
KEY: Final = re.compile(r"[0-9a-f]{16}")
MOST: Final = 500  # of an account
MOST_OF_A_GUEST: Final = 50  # what a cookie holds


def hidden(request: HttpRequest, person: Person) -> frozenset[str]:
    """Public keys."""
    if person.guest:
        return frozenset(KEY.findall(request.COOKIES.get(COOKIE, ""))[:MOST_OF_A_GUEST])
    return of_account(person)


def of_account(person: Person) -> frozenset[str]:
    """For what reaches somebody who has no page open, too."""
    return frozenset(Hidden.objects.filter(user=person.user_id).values_list("key", flat=True)[:MOST])


def hide(request: HttpRequest, person: Person, key: str, *, yes: bool) -> frozenset[str]:
    """Whom she hides from now on. Raises Refused."""
    found = hidden(request, person) - {key}
    if yes:
        if key == person.public_key or not KEY.fullmatch(key):
            raise Refused(_("This cannot be hidden."), code="bad_frame")
        if len(found) >= (MOST_OF_A_GUEST if person.guest else MOST):
            raise Refused(_("You have hidden as many people as you can."), code="bad_frame")
        found |= {key}
    if not person.guest and yes:
        Hidden.objects.get_or_create(user_id=person.user_id, key=key)
    elif not person.guest:
        Hidden.objects.filter(user=person.user_id, key=key).delete()
    return found


def remember(response: HttpResponse, person: Person, keys: frozenset[str]) -> None:
    if person.guest:
        secure = settings.SESSION_COOKIE_SECURE
        value = ".".join(sorted(keys))
        response.set_cookie(COOKIE, value, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=secure)

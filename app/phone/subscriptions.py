"""Which browsers want to be told: kept per person, and gone with the log-in, the account or the browser's own end."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model, user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts import sessions, shares
from phone import keys, posting
from phone.models import MAX_ENDPOINT, Level, Subscription
from topics import Person
from topics.people import COOKIE, COOKIE_SECONDS, guest_of, key_of, of_key

NOBODY: Final = gettext_lazy("Your browser keeps no cookies for this site, so it could not know you again.")
MOST: Final = 10  # browsers of a person; the one seen last stays
NEW_PER_HOUR: Final = 30
NEW_PER_HOUR_AND_ADDRESS: Final = 1_000


class Unwanted(Exception):
    """It is not kept: the sentence says why."""


def keep(request: HttpRequest, person: Person, given: dict[str, str]) -> None:
    """`given`: endpoint, p256dh, auth and words, as the browser has them. Raises Unwanted."""
    endpoint = given["endpoint"]
    if not keys.public_key():
        raise Unwanted(_("This site sends no notifications."))
    if not person.known:
        raise Unwanted(NOBODY)
    if len(endpoint) > MAX_ENDPOINT or not posting.may_be_dialled(endpoint):
        raise Unwanted(_("This is no address of a push service."))
    if not keys.are_of_a_browser(given["p256dh"], given["auth"]):
        raise Unwanted(_("These are no keys of a browser."))
    if not Subscription.objects.filter(endpoint=endpoint).exists() and not shares.take(
        {"browsers": (person.key, NEW_PER_HOUR), "browsers_of_address": (person.address, NEW_PER_HOUR_AND_ADDRESS)}
    ):
        raise Unwanted(_("That has been asked for too often: try again in an hour."))
    whose = {
        "person": person.key,
        "public_key": person.public_key,
        "session": "" if person.guest else request.session.session_key or "",
        "language": get_language() or "",
    }
    told = {"p256dh": given["p256dh"], "auth": given["auth"], "words": bool(given["words"])}
    known = Subscription.objects.filter(endpoint=endpoint).exclude(person=person.key)
    known.delete()  # what was to be told to somebody else who had this browser is nothing for her
    Subscription.objects.update_or_create(endpoint=endpoint, defaults=whose | told | {"seen_at": timezone.now()})
    kept = Subscription.objects.filter(person=person.key).order_by("-seen_at", "-pk").values_list("pk", flat=True)
    Subscription.objects.filter(pk__in=list(kept[MOST:])).delete()


def end(person: Person, endpoint: str) -> None:
    Subscription.objects.filter(person=person.key, endpoint=endpoint).delete()


def owner(subscription: Subscription) -> Person | None:
    """Whose it is. None where nobody is there any more who would be told."""
    if subscription.person.startswith("guest:"):
        is_late = subscription.seen_at < timezone.now() - timedelta(seconds=COOKIE_SECONDS)
        return None if is_late or not settings.ALLOW_GUESTS else of_key(subscription.person, "", guest=True)
    user: Any = (
        get_user_model()._default_manager.filter(pk=of_key(subscription.person, "", guest=False).user_id).first()
    )
    if user is None or not user.is_active or not sessions.living(user, [subscription.session]):
        return None
    return of_key(subscription.person, user.get_username(), guest=False)


def sweep() -> None:
    """Guests whose cookie is too old by now are nobody any more."""
    late = timezone.now() - timedelta(seconds=COOKIE_SECONDS)
    Subscription.objects.filter(person__startswith="guest:", seen_at__lt=late).delete()


# --- When it ends ------------------------------------------------------------------------------------


def watch() -> None:
    user_logged_out.connect(end_session)
    user_logged_in.connect(end_guest)
    post_save.connect(end_closed, sender=get_user_model())
    post_delete.connect(forget, sender=get_user_model())


def end_session(request: HttpRequest | None, **_: Any) -> None:
    session = request and request.session.session_key
    if session:
        Subscription.objects.filter(session=session).delete()


def end_guest(request: HttpRequest | None, **_: Any) -> None:
    """Who has logged in is not the guest any more that she was in this browser."""
    if request is not None and COOKIE in request.COOKIES:
        Subscription.objects.filter(person=guest_of(request.COOKIES[COOKIE]).key).delete()


def end_closed(instance: Any, **named: Any) -> None:
    if not instance.is_active:
        forget(instance, **named)


def forget(instance: Any, **_: Any) -> None:
    """All that is kept of her here."""
    Subscription.objects.filter(person=key_of(instance.pk)).delete()
    Level.objects.filter(person=key_of(instance.pk)).delete()

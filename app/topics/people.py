"""Who somebody is: a logged-in user, or a guest whose name lives in a signed cookie.

Without the cookie a guest is somebody new at every request and on every socket.
"""

import secrets
import unicodedata
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from realtime.admission import subscriber_at
from topics.conf import settings
from topics.names import is_person_name
from topics.who.scope import Scope

COOKIE = "guest"
SALT = "rooms.people"  # of cookies that are out there
COOKIE_SECONDS = 30 * 24 * 3600  # from the last page on; a copy that is older brings back neither guest nor name
MAX_GUEST_NAME = 32
FORMER = "Former member"  # the name of everybody who has left: see topics.former
ANIMALS = ("Badger", "Crane", "Dolphin", "Falcon", "Gecko", "Heron", "Ibex", "Lynx", "Otter", "Panda", "Raven", "Wren")


@dataclass(frozen=True, slots=True)
class Person:
    """`key` tells people apart (two tabs, one person) and is shown to nobody; `name` is shown to everybody.

    `user_id` is the user's primary key, of whatever type the project's users have. A guest without a cookie is not
    `known`: the same one over the next connection cannot be told from anybody else. `address` is where the person
    sends from just now, of IPv6 the network; empty where that is not known. Who comes by a token has its `scope`, which
    is asked beside each topic's `may`.
    """

    key: str
    name: str
    guest: bool
    user_id: Any = None
    known: bool = True
    address: str = field(default="", compare=False)
    scope: Scope | None = None

    @property
    def as_author(self) -> "Person":
        """Under whose key an event may be stored so that its id means the same over the next connection, too.

        All who are not known share one, which is empty.
        """
        return self if self.known else replace(self, key="")

    @property
    def public_key(self) -> str:
        """The same as long as `key` is, and says nothing about it: for pages and browsers, to tell people apart by."""
        return public_key_of(self.key)

    def within(self, scope: Scope) -> "Person":
        return replace(self, scope=scope)


def person_of(request: HttpRequest) -> Person:
    """Whoever sends this request: asked twice, the same answer."""
    if not hasattr(request, "person"):
        user = request.user
        found = of_user(user) if user.is_authenticated else guest_of(request.COOKIES.get(COOKIE))
        request.person = replace(found, address=address_of(request))  # type: ignore[attr-defined]
    return request.person  # type: ignore[attr-defined,no-any-return]


def address_of(request: HttpRequest) -> str:
    """Where it comes from; of IPv6 the network, and empty where that is not known."""
    return subscriber_at(request.META.get("REMOTE_ADDR", ""))


def key_of(user_id: Any) -> str:
    """The key of the person with that account."""
    return f"user:{user_id}"


def of_key(key: str, name: str, guest: bool) -> Person:
    """Who has that key, and is shown so."""
    pk = None if guest else get_user_model()._meta.pk.to_python(key.removeprefix("user:"))
    return Person(key, name, guest, user_id=pk)


def of_user(user: Any) -> Person:
    return Person(key_of(user.pk), user.get_username(), guest=False, user_id=user.pk)


def guest_of(cookie: str | None) -> Person:
    try:
        key, name = signing.loads(cookie or "", salt=SALT, max_age=COOKIE_SECONDS)
        return Person(f"guest:{key}", name, guest=True)
    except (signing.BadSignature, ValueError, TypeError):
        name = f"{secrets.choice(ANIMALS)} {secrets.randbelow(900) + 100}"
        return Person(f"guest:{secrets.token_hex(8)}", name, guest=True, known=False)


def remember_guest(response: HttpResponseBase, person: Person) -> None:
    """Lets a guest keep the name from request to request and on every socket."""
    if person.guest:
        value = signing.dumps([person.key.removeprefix("guest:"), person.name], salt=SALT)
        response.set_cookie(
            COOKIE, value, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )


def rename_guest(person: Person, name: str) -> Person:
    """The same guest under another name. Raises ValueError with a sentence."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not person.guest:
        raise ValueError(_("Who is logged in is called by the account's name."))
    if not 0 < len(name) <= MAX_GUEST_NAME:
        raise ValueError(_("A name has 1 to {most} characters.").format(most=MAX_GUEST_NAME))
    if not is_person_name(name):
        raise ValueError(_("A name consists of visible characters."))
    return Person(person.key, name, guest=True, address=person.address)


@lru_cache(maxsize=10_000)
def public_key_of(key: str) -> str:
    return salted_hmac(SALT, key).hexdigest()[:16]


def person(by: Any) -> Person | None:
    """Whoever is given: a person, a user of the project's, or None for nobody. Raises TypeError for anything else."""
    if by is None or isinstance(by, Person):
        return by
    if getattr(by, "is_authenticated", False) and getattr(by, "pk", None) is not None:
        return of_user(by)
    if getattr(by, "is_anonymous", False):
        raise TypeError(
            "An AnonymousUser is nobody in particular: give person_of(request), which knows guests, or None."
        )
    raise TypeError(f"`by` is a user with an account, a Person or None, not {by!r}.")


def shown(who: Person | None) -> dict[str, Any] | None:
    """As everybody may see a person: `key` is the same wherever and whenever she appears, and tells nothing else."""
    return None if who is None else {"key": who.public_key, "name": who.name, "guest": who.guest}

"""Who somebody is without a cookie: by the secret that a program or a page bears, or by the project's own callables.

A secret comes as `Authorization: Bearer …`, or as the WebSocket subprotocol `bearer.` with the secret in base64url,
since browsers let a page set no other header. It is in no URL, in no log and in no answer. Who bears one is nobody
else: cookies do not count then, and a secret that is not valid makes no guest.
"""

import base64
import binascii
import logging
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from django.db import Error as DatabaseError
from django.utils import timezone
from django.utils.module_loading import import_string

from topics.conf import settings
from topics.models import MAX_KEY, MAX_PERSON_NAME
from topics.people import person
from topics.storing import database
from topics.who.identity import Identity
from topics.who.standing import is_active

SUBPROTOCOL: Final = "bearer."
MOST_CHARACTERS: Final = 8_192  # of a secret; a JSON Web Token with many claims has some thousand

logger = logging.getLogger(__name__)


class LoginRequired(Exception):
    """Guests may not come in."""


class NotValid(LoginRequired):
    """What somebody bears is unknown, spent, expired or revoked. Nobody is told which."""


def bearer_of(headers: Iterable[tuple[bytes, bytes]], subprotocols: Sequence[str] = ()) -> str | None:
    """The secret; None where there is none, and "", which is never valid, where there are several or it is none."""
    given = [value.decode("latin-1").strip() for name, value in headers if name == b"authorization"]
    found = [value[6:].strip() for value in given if value[:7].lower() in {"bearer", "bearer "}]
    found += [decoded(offered) for offered in subprotocols if offered.startswith(SUBPROTOCOL)]
    if not found:
        return None
    [secret] = found if len(found) == 1 else [""]
    return secret if len(secret) <= MOST_CHARACTERS and secret.isascii() and secret.isprintable() else ""


def decoded(subprotocol: str) -> str:
    text = subprotocol.removeprefix(SUBPROTOCOL)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


# --- The project's own ---------------------------------------------------------------------------------


def has_callables() -> bool:
    return bool(settings.TOPICS_AUTHENTICATION)


def callables() -> list[Callable[..., Any]]:
    """Those that TOPICS_AUTHENTICATION names, in its order."""
    return [import_string(path) for path in settings.TOPICS_AUTHENTICATION]


async def by_callables(bearer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> Identity | None:
    """Whoever the first of them recognises. Raises NotValid where one fails: its mistake lets nobody in."""
    asked = callables()
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers} if asked else {}
    for authenticate in asked:
        try:
            if (found := await _answer(authenticate, bearer, named)) is not None:
                return identity_of(found)
        except (NotValid, DatabaseError):
            raise
        except Exception as error:  # its words may hold what was borne
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error(
                "%s does not know who somebody is: %s in %s, line %s",
                getattr(authenticate, "__qualname__", authenticate),
                type(error).__name__,
                place.filename,
                place.lineno,
            )
            raise NotValid from None
    return None


async def _answer(authenticate: Callable[..., Any], bearer: str | None, headers: Mapping[str, str]) -> Any:
    if iscoroutinefunction(authenticate):
        return await authenticate(bearer, headers)
    return await database.run(database.readers, authenticate, bearer, headers)


def identity_of(found: Any) -> Identity:
    """Of a user or a Person, or of a pair of one and the moment until which that holds."""
    who, until = found if isinstance(found, tuple) else (found, None)
    if until is not None and not isinstance(until, datetime):
        raise TypeError("until which moment is a datetime")
    one = person(who)
    if one is not None and (len(one.key) > MAX_KEY or len(one.name) > MAX_PERSON_NAME):
        raise ValueError("a person's key or name is too long")
    if one is None or not is_active(who) or (until is not None and until <= timezone.now()):
        raise NotValid
    return Identity(one, until=until)

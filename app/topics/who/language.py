"""In which language somebody reads: as Django's LocaleMiddleware finds it for a page, but for a socket's handshake."""

from typing import Any, NamedTuple

from django.http import parse_cookie
from django.utils import translation


class Asking(NamedTuple):
    """As much of a request as Django looks at."""

    COOKIES: dict[str, str]
    META: dict[str, str]


def language_of(scope: dict[str, Any]) -> str:
    """One of settings.LANGUAGES."""
    found = {b"cookie": "", b"accept-language": ""}
    for name, value in scope["headers"]:
        if name in found:
            found[name] = value.decode("latin-1")
    asking: Any = Asking(parse_cookie(found[b"cookie"]), {"HTTP_ACCEPT_LANGUAGE": found[b"accept-language"]})
    return translation.get_language_from_request(asking)

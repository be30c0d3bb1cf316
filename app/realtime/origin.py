"""Which web pages may open a socket.

A browser sends the page's origin, and the visitor's cookies, whichever page it is. Without a check any
page in the world could talk as its visitor.
"""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import markcoroutinefunction
from django.http.request import split_domain_port, validate_host

from realtime.admission import forbid
from realtime.conf import settings
from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
LOCAL = (".localhost", "127.0.0.1", "[::1]")
PASSED_ON = (
    "each proxy in front must pass on Host with its port and say X-Forwarded-Proto as the browser has them, and be "
    "believed (TRUSTED_PROXIES with compose, else PROXY_HOPS=1)"
)


class OriginGuard:
    """ASGI application that answers 403 to the handshake of a foreign page."""

    def __init__(self, application: Any) -> None:
        self.application = application

    @markcoroutinefunction
    def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if is_welcome(scope):
            return self.application(scope, receive, send)
        tell(scope)
        return forbid(receive, send, "origin")


def is_welcome(scope: dict[str, Any]) -> bool:
    """No origin (no browser), an allowed one, or the site's own. Everything else, also what raises, is not."""
    try:
        origins = values(scope, b"origin")
        if not origins:
            return True
        (origin,) = origins
        return origin in settings.ALLOWED_ORIGINS or origin == own_origin(scope)
    except Exception:
        return False


def own_origin(scope: dict[str, Any]) -> str | None:
    """The origin of this site's pages as the request's own scheme and Host name it."""
    (host,) = values(scope, b"host")
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, site_hosts()):
        return None
    scheme = "https" if scope.get("scheme") in {"wss", "https"} else "http"
    return f"{scheme}://{host.lower().removesuffix(DEFAULT_PORTS[scheme])}"


def site_hosts() -> Sequence[str]:
    """As HttpRequest.get_host() has them: while DEBUG is on, an empty list means this machine."""
    return settings.ALLOWED_HOSTS or (LOCAL if settings.DEBUG else [])


def tell(scope: dict[str, Any]) -> None:
    """For who runs the site and finds that nobody can talk. Strangers' headers are quoted, cut and seldom said."""
    try:
        (origin,), (host,) = values(scope, b"origin"), values(scope, b"host")
        known = validate_host(split_domain_port(host)[0], site_hosts())
    except Exception:  # no browser sends such headers
        return
    if known and is_disguised(origin, host):
        subject, mend = origin[:100], f"to this process it came to {str(own_origin(scope))[:100]!r}: {PASSED_ON}"
    elif known:
        subject, mend = origin[:100], "if its pages may open sockets here, add it to ALLOWED_ORIGINS"
    else:
        subject, mend = host[:100], "if it is a name of this site, add it to ALLOWED_HOSTS"
    if (times := refusals.due(subject)) is not None:
        what = f"a socket of the page {subject!r}" if known else f"a socket to the host {subject!r}"
        logger.warning("%s was refused: %s%s", what, mend, again(times))


def is_disguised(origin: str, host: str) -> bool:
    """Whether it is the site's own page, whose scheme or port a proxy has hidden."""
    try:
        return urlsplit(origin).hostname == urlsplit(f"//{host}").hostname
    except ValueError:
        return False


refusals = Seldom()


def values(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("ascii") for key, value in scope["headers"] if key == name]

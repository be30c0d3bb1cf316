"""Which web pages may open a socket.

A browser sends the page's origin, and the visitor's cookies, whichever page it is. Without a check any
page in the world could talk as its visitor.
"""

from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from realtime import metrics

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class OriginGuard:
    """ASGI application that answers 403 to the handshake of a foreign page."""

    def __init__(self, application: Any) -> None:
        self.application = application

    def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        admitted = is_welcome(scope)
        return self.application(scope, receive, send) if admitted else refuse(receive, send)


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
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return None
    scheme = "https" if scope.get("scheme") in {"wss", "https"} else "http"
    return f"{scheme}://{host.lower().removesuffix(DEFAULT_PORTS[scheme])}"


def values(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("ascii") for key, value in scope["headers"] if key == name]


async def refuse(receive: Any, send: Any) -> None:
    metrics.refused.labels("origin").inc()
    await receive()
    await send({"type": "websocket.close"})

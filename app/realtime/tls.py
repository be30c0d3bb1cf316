"""Where pages are for HTTPS alone, so are sockets: a browser follows no redirect of a handshake, so it is refused."""

import logging
from typing import Any

from asgiref.sync import markcoroutinefunction

from realtime.admission import HEALTH_PATH, forbid
from realtime.conf import settings
from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)


class TlsGuard:
    """ASGI application that answers 403 to a handshake without TLS, where SECURE_SSL_REDIRECT is on."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self._refusals = Seldom()

    @markcoroutinefunction
    def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if not settings.SECURE_SSL_REDIRECT or scope.get("scheme") == "wss" or scope["path"] == HEALTH_PATH:
            return self.application(scope, receive, send)
        if (times := self._refusals.due("")) is not None:
            logger.warning(
                "a socket without TLS was refused, since HTTPS=1: the proxy that ends TLS must say "
                "X-Forwarded-Proto: https, and PROXY_HOPS=1 that it is believed%s",
                again(times),
            )
        return forbid(receive, send, "tls")

"""The ASGI role: pages, static files and every WebSocket, in one process."""

import os
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application

from config import intake, proxy, static

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()  # sets Django up, which everything imported below needs

from config.routing import no_route, websocket_urlpatterns  # noqa: E402
from realtime.admission import Admission  # noqa: E402
from realtime.origin import OriginGuard  # noqa: E402
from realtime.routes import Routes  # noqa: E402
from realtime.tls import TlsGuard  # noqa: E402

applications = {
    "http": static.over_asgi(pages),
    "websocket": Admission(TlsGuard(OriginGuard(Routes(websocket_urlpatterns, no_route)))),
}


def by_protocol(scope: dict[str, Any], receive: Any, send: Any) -> Any:
    return applications[scope["type"]](scope, receive, send)


application = intake.over_asgi(proxy.over_asgi(by_protocol, settings.PROXY_HOPS))

"""The ASGI role: pages, static files and every WebSocket, in one process."""

import os
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import re_path

from config import static, tracing
from realtime import intake, proxy, request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()  # sets Django up, which everything imported below needs

from config.routing import no_route, websocket_urlpatterns  # noqa: E402
from phone import sending  # noqa: E402
from realtime.admission import Admission  # noqa: E402
from realtime.lifespan import lifespan  # noqa: E402
from realtime.origin import OriginGuard  # noqa: E402
from realtime.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from realtime.tls import TlsGuard  # noqa: E402


def door(application: Any) -> Any:
    """What holds for pages and sockets alike: what a request may carry, whom to believe about its client, its id."""
    checked = intake.over_asgi(proxy.over_asgi(application, settings.PROXY_HOPS))
    return request_id.over_asgi(checked, settings.PROXY_HOPS)


tracing.begin()
sending.begin()
application = ProtocolTypeRouter(
    {
        "http": door(static.over_asgi(pages)),
        "websocket": door(
            tracing.over_asgi(
                Admission(
                    TlsGuard(
                        OriginGuard(
                            # The last one takes whatever is none of the others.
                            URLRouter([*websocket_urlpatterns, re_path("", no_route)]),
                        )
                    )
                )
            )
        ),
        "lifespan": lifespan,
    }
)

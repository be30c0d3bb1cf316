"""The ASGI role: pages, static files and every WebSocket, in one process."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application

from config import proxy, static

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()  # sets Django up, which everything imported below needs

from realtime.admission import Admission  # noqa: E402
from realtime.origin import OriginGuard  # noqa: E402
from rooms.routing import websocket_urlpatterns  # noqa: E402

application = proxy.over_asgi(
    ProtocolTypeRouter(
        {
            "http": static.over_asgi(pages),
            "websocket": Admission(OriginGuard(URLRouter(websocket_urlpatterns))),
        }
    ),
    settings.PROXY_HOPS,
)

"""Every WebSocket route. What is none of them is accepted and told so: a browser cannot read a refusal."""

from django.conf import settings
from django.urls import path

from realtime.echo import echo_socket
from realtime.health import health_socket
from rooms.routing import websocket_urlpatterns as rooms
from topics.delivery.consumer import TopicsConsumer
from topics.sockets import NoRoute

# Django's types know views only: what `path` names here is an ASGI application.
websocket_urlpatterns = [
    *rooms,
    path("ws/", TopicsConsumer.as_asgi()),
    path("ws/health/", health_socket),  # type: ignore[arg-type]
    *([path("ws/echo/", echo_socket)] if settings.WS_ECHO else []),  # type: ignore[arg-type]
]
no_route = NoRoute.as_asgi()

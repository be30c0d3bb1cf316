"""The WebSocket routes of rooms."""

from django.urls import path

import rooms.converters  # noqa: F401  (registers the converter that the route uses)
from rooms.consumers import RoomConsumer

websocket_urlpatterns = [path("ws/room/<room:room_name>/", RoomConsumer.as_asgi())]

"""The chat that one writes first with Channels: a group for the room, and nothing that remembers.

REDIS_URL=… daphne torture.tutorial:application, with LAYER=core for the other layer of channels_redis
"""

import os

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

LAYERS = {
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "core": "channels_redis.core.RedisChannelLayer",
}

settings.configure(
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": LAYERS[os.environ.get("LAYER", "pubsub")],
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]], "prefix": "tutorial"},
        }
    }
)


class Chat(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.group = "chat_" + self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send(self.group, {"type": "chat.said", "text": text_data})

    async def chat_said(self, event: dict[str, str]) -> None:
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter({"websocket": URLRouter([re_path(r"^ws/chat/(?P<room>\w+)/$", Chat.as_asgi())])})

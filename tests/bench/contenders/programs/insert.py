"""The chat of Channels' tutorial, grown up as it usually does: each message becomes a row, and is then acknowledged.

Its settings are as good as this way of writing it allows: the connection to Postgres is kept, Redis is asked by
pub/sub, messages are told by one group_send. It speaks as much of `rooms.v1` as the load needs.

    python insert.py table            make the table
    python insert.py loop SECONDS     insert in a loop, without any server; prints rows a second
"""

import json
import os
import sys
import time
from typing import Any, ClassVar

import django
import environ
from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["127.0.0.1"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    DATABASES={"default": {**environ.Env().db_url("DATABASE_URL"), "CONN_MAX_AGE": None}},
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]], "prefix": "insert"},
        }
    },
)
django.setup()

from django.db import connection, models  # noqa: E402
from django.utils import timezone  # noqa: E402


class Message(models.Model):
    """The columns of the product's messages; the row's key stands for the number."""

    room = models.CharField(max_length=64)
    client_id = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    author = models.CharField(max_length=150)
    guest = models.BooleanField()
    body = models.TextField(max_length=4000)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "insert"
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["room", "client_id"], name="insert_once")]


class Chat(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.user = self.scope["user"]
        await self.channel_layer.group_add(f"chat_{self.room}", self.channel_name)
        await self.accept()
        await self.send(text_data='{"type":"welcome"}')

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(f"chat_{self.room}", self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        said = json.loads(text_data or "")
        message = await database_sync_to_async(Message.objects.create)(
            room=self.room,
            client_id=said["id"],
            user=self.user if self.user.is_authenticated else None,
            author=self.user.get_username() or "guest",
            guest=not self.user.is_authenticated,
            body=said["body"],
        )
        frame = {"type": "message", "seq": message.pk, "id": said["id"], "body": message.body}
        await self.send(text_data=json.dumps({"type": "ack", "id": said["id"], "seq": message.pk}))
        await self.channel_layer.group_send(f"chat_{self.room}", {"type": "chat.message", "frame": frame})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event["frame"]))


application = ProtocolTypeRouter(
    {"websocket": AuthMiddlewareStack(URLRouter([re_path(r"^ws/room/(?P<room>[\w-]+)/$", Chat.as_asgi())]))}
)


def make_table() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Message)


def loop(seconds: float) -> float:
    """Rows a second, each in a transaction of its own."""
    began, number = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        Message.objects.create(room="loop", client_id=f"{began}-{number}", author="guest", guest=True, body="x" * 80)
        number += 1
    return number / passed


if __name__ == "__main__":
    if sys.argv[1] == "table":
        make_table()
    else:
        print(loop(float(sys.argv[2])))

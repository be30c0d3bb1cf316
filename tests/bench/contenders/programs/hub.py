"""A consumer on `realtime` alone: what somebody says in a room goes to everybody in it, and nothing is stored."""

import itertools
import logging
import os
import sys
from typing import Any

from django.conf import settings

settings.configure(
    HOST=os.environ["HOST"],
    PORT=int(os.environ["PORT"]),
    WS_SERVER=os.environ["WS_SERVER"],
    REDIS_URL=os.environ["REDIS_URL"],
    DRAIN_SECONDS=1,
    METRICS_PORT=0,
    MAX_SOCKETS=100_000,
    SOCKETS_PER_ADDRESS=0,
    PROXY_HOPS=0,
    FRAME_RATE=10**9,
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]], "prefix": "hub"},
        }
    },
)

from realtime import hubs, serve  # noqa: E402
from realtime.consumer import SocketConsumer  # noqa: E402
from realtime.standing import Verdict  # noqa: E402

keys = itertools.count()


class Nothing:
    """The product of somebody who stores nothing."""

    async def identity(self) -> str:
        return "bench"

    async def judge(self, followers: Any, doubted: bool) -> Verdict:
        return Verdict({}, {})

    async def read(self, room: str, after: int, limit: int) -> list[Any]:
        return []

    async def changed(self, seconds: float) -> list[Any]:
        return []

    async def notices(self, seconds: float) -> list[Any]:
        return []

    def rewrites(self, frame: str) -> bool:
        return False

    def seq_frame(self, room: str, seq: int, epoch: str) -> str:
        return '{"type":"seq"}'

    def presence_frame(self, room: str, joined: list[Any], left: list[Any], member_count: int) -> str:
        return f'{{"type":"presence","member_count":{member_count}}}'


PRODUCT = Nothing()


class Member(SocketConsumer):
    subprotocols = ("plain", "plain.batch")
    batch_subprotocols = frozenset({"plain.batch"})
    feed = None

    async def opened(self) -> None:
        self.key = f"guest {next(keys)}"
        self.room = self.scope["path"].strip("/")
        self.hub = hubs.here(PRODUCT)
        self.feed = self.hub.join(self.room, self, {"name": self.key}, epoch="", position=0)

    async def received(self, text: str | None, data: bytes | None) -> None:
        self.hub.mention(self.room, text or "", by="")

    def ended(self) -> None:
        if self.feed is not None:
            self.hub.leave(self.feed, self)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout)
    serve.main(Member.as_asgi())

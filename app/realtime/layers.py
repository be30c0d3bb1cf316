"""What Channels has no word for: whom a channel layer reaches, names of groups, much at once, and a layer's end."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

from channels.layers import InMemoryChannelLayer

from realtime import redises
from realtime.conf import settings
from realtime.lean import RedisChannelLayer, RedisPubSubChannelLayer, decode_hosts

IN_MEMORY: Final = "InMemoryChannelLayer"
IN_POSTGRES: Final = "realtime.postgres.PostgresChannelLayer"
Message = tuple[str, dict[str, Any]]
"""The name of a group, and what it is sent."""

COMMON: Final = "processes"
LONGEST_KEY: Final = 32  # characters in a group's name
CAPACITY: Final = 10_000  # messages that wait for a process that is busy


def reaches_others() -> bool:
    """Whether other processes hear what is said here."""
    backend = str(settings.CHANNEL_LAYERS.get("default", {}).get("BACKEND", IN_MEMORY))
    return not backend.endswith(IN_MEMORY)


def in_postgres() -> bool:
    """Whether it takes connections of the database's."""
    return str(settings.CHANNEL_LAYERS.get("default", {}).get("BACKEND", "")) == IN_POSTGRES


def alone() -> Any:
    """For a project without CHANNEL_LAYERS: its one process hears itself."""
    return InMemoryChannelLayer(capacity=CAPACITY)


def group_of(room: str | None, installation: str) -> str:
    """Every group's name, in one place. Layers take ASCII letters and digits, and not many: other keys are hashed."""
    if room is None:
        return f"{installation}.{COMMON}"
    plain = room.isascii() and room.isalnum() and len(room) <= LONGEST_KEY
    return f"{installation}.room.{room if plain else blake2b(room.encode(), digest_size=16).hexdigest()}"


def parts(layer: Any) -> dict[str, Any]:
    """A layer for each server where it has several, by its place. Connections are opened by use alone."""
    if not isinstance(layer, RedisPubSubChannelLayer):
        return {}
    found = {}
    for host in decode_hosts(layer._kwargs.get("hosts")):
        part = RedisPubSubChannelLayer(**layer._kwargs | {"hosts": [host]})
        part._serializer = layer._serializer
        found[redises.place(host)] = part
    return found


async def send_all(layer: Any, messages: Sequence[Message]) -> None:
    """Sends each group its message, in order. Redis, or Postgres, is asked once for all of them.

    Where that raises, some of them may have been sent.
    """
    if hasattr(layer, "group_send_all"):
        await layer.group_send_all(messages)
        return
    if not isinstance(layer, RedisPubSubChannelLayer):
        for group, message in messages:
            await layer.group_send(group, message)
        return
    here = layer._get_layer()
    by_redis: dict[Any, list[tuple[str, bytes]]] = {}
    for group, message in messages:
        channel = here._get_group_channel_name(group)
        by_redis.setdefault(here._get_shard(channel), []).append((channel, layer.serialize(message)))
    for redis, some in by_redis.items():
        async with redis._lock:
            redis._ensure_redis()
            pipeline = redis._redis.pipeline(transaction=False)
            for channel, text in some:
                pipeline.publish(channel, text)
            await pipeline.execute()


def may_hang(layer: Any) -> bool:
    """Whether its listening connection says nothing by itself, so that nobody sees when its server stands still."""
    return isinstance(layer, RedisPubSubChannelLayer)


async def disconnect(layer: Any) -> None:
    """Closes the layer's connections of the running loop. It opens others where it is used again."""
    if isinstance(layer, RedisPubSubChannelLayer):
        await layer.flush()  # of this loop's connections: Redis keeps nothing that could be lost
    elif isinstance(layer, RedisChannelLayer):
        await layer.close_pools()

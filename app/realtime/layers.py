"""What Channels has no word for: whom the channel layer reaches, and how one ends."""

from typing import Any, Final

from channels.layers import InMemoryChannelLayer
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from realtime.conf import settings

IN_MEMORY: Final = "InMemoryChannelLayer"
CAPACITY: Final = 10_000  # messages that wait for a process that is busy


def reaches_others() -> bool:
    """Whether other processes hear what is said here."""
    backend = str(settings.CHANNEL_LAYERS.get("default", {}).get("BACKEND", IN_MEMORY))
    return not backend.endswith(IN_MEMORY)


def alone() -> Any:
    """For a project without CHANNEL_LAYERS: its one process hears itself."""
    return InMemoryChannelLayer(capacity=CAPACITY)


async def disconnect(layer: Any) -> None:
    """Closes the layer's connections of the running loop. It opens others where it is used again."""
    if isinstance(layer, RedisPubSubChannelLayer):
        await layer.flush()  # of this loop's connections: Redis keeps nothing that could be lost
    elif isinstance(layer, RedisChannelLayer):
        await layer.close_pools()

"""How a channel layer ends. Channels has no word for that: each kind has its own."""

from typing import Any

from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer


async def disconnect(layer: Any) -> None:
    """Closes the layer's connections of the running loop. It opens others where it is used again."""
    if isinstance(layer, RedisPubSubChannelLayer):
        await layer.flush()  # of this loop's connections: Redis keeps nothing that could be lost
    elif isinstance(layer, RedisChannelLayer):
        await layer.close_pools()

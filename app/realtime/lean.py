"""The clients of Redis, without what they bring along wherever it is installed.

redis-py imports OpenTelemetry's metrics if it finds them, though nobody asks for them: 2 MB and 60 ms of each process.
So whoever needs the one or the other has it from here, whichever is first.
"""

import sys

UNASKED = "opentelemetry"

_hides = UNASKED not in sys.modules
if _hides:
    sys.modules[UNASKED] = None  # type: ignore[assignment]  # which the import system takes for: there is none
try:
    import redis
    from channels_redis.core import RedisChannelLayer
    from channels_redis.pubsub import RedisPubSubChannelLayer
    from channels_redis.utils import decode_hosts
    from redis.asyncio import ConnectionPool
finally:
    if _hides:
        del sys.modules[UNASKED]

__all__ = ["ConnectionPool", "RedisChannelLayer", "RedisPubSubChannelLayer", "decode_hosts", "redis"]

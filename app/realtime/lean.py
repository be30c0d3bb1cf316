"""The client of Redis, without what it brings along wherever it is installed.

redis-py imports OpenTelemetry's metrics if it finds them, though nobody asks for them: 2 MB and 60 ms of each process.
"""

import sys

UNASKED = "opentelemetry"

_hides = UNASKED not in sys.modules
if _hides:
    sys.modules[UNASKED] = None  # type: ignore[assignment]  # which the import system takes for: there is none
try:
    import redis
    from redis.asyncio import ConnectionPool
finally:
    if _hides:
        del sys.modules[UNASKED]

__all__ = ["ConnectionPool", "redis"]

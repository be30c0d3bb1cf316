"""A Django system check: do the connections fit into what the plans of Postgres and Redis allow?

The worst case is a deploy: as many new processes as old ones, and the migration. `migrate` asks too, so that a release
which could not fit is refused before it starts.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.core.checks import CheckMessage, Error

from realtime import layers
from realtime.conf import settings

# Each of gunicorn's four threads keeps one, and so do, while a view writes events that grow, who stores and who stops
# these. The readiness check opens its own, and so do whoever publishes, once, to read which installation this is, and
# whoever sends letters.
POSTGRES_PER_WORKER: Final = 9
# One listens and one speaks, in each process, where the channel layer is Postgres'.
POSTGRES_PER_LAYER: Final = 2
# One migrates, and one holds the lock that lets nobody else do so.
POSTGRES_PER_MIGRATION: Final = 2
# One listens for all rooms and one publishes, in each process that serves sockets; the third asks how Redis is.
REDIS_PER_ASGI: Final = 3
# gunicorn's workers publish over one connection, and ask how Redis is over another.
REDIS_PER_WORKER: Final = 2
DEPLOY: Final = 2


def connections_fit(app_configs: Sequence[Any] | None = None, **kwargs: object) -> list[CheckMessage]:
    needs = {"DATABASE_CONNECTIONS": postgres_connections(), "REDIS_CONNECTIONS": redis_connections()}
    return [
        Error(
            f"{name} is {limit}, and a deploy may need {need}.",
            hint="Lower DATABASE_POOL, REPLICAS or WEB_CONCURRENCY, or choose a plan that allows more.",
            id=f"realtime.{name}",
        )
        for name, need in needs.items()
        if (limit := getattr(settings, name)) and need > limit
    ]


def postgres_connections() -> int:
    """All at once, while a deploy migrates and old and new processes serve."""
    serving = settings.REPLICAS * settings.DATABASE_POOL + workers() * POSTGRES_PER_WORKER
    if layers.in_postgres():
        serving += (settings.REPLICAS + workers()) * POSTGRES_PER_LAYER
    return DEPLOY * serving + POSTGRES_PER_MIGRATION


def redis_connections() -> int:
    return DEPLOY * (settings.REPLICAS * REDIS_PER_ASGI + workers() * REDIS_PER_WORKER)


def workers() -> int:
    """gunicorn's processes."""
    return 0 if settings.DYNO else int(settings.WEB_CONCURRENCY)

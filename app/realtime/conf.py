"""The settings that this package reads, with what holds in a project that has none of them.

Any other name is read from Django's settings as it is. The environment is read by the project's settings alone.
"""

from typing import Any

from django.conf import settings as django_settings

from realtime.limits import FRAMES_PER_MESSAGE


class Settings:
    """What the project's settings say, else what is written here."""

    # The process
    ASGI_APPLICATION: str = ""  # the dotted name of what is served
    WS_SERVER: str = "daphne"  # or uvicorn
    HOST: str = "0.0.0.0"
    PORT: int = 8000
    METRICS_PORT: int = 0  # none
    DRAIN_SECONDS: int = 10

    # The door
    ALLOWED_ORIGINS: list[str] = []
    PROXY_HOPS: int = 0
    MAX_SOCKETS: int = 10_000
    SOCKETS_PER_ADDRESS: int = 0  # no limit
    MESSAGE_RATE: int = 50  # of one person, a second

    # What it works with
    REDIS_URL: str = ""  # what readiness asks; events take the channel layer of CHANNEL_LAYERS
    REDIS_HOSTS: list[dict[str, Any]] = []  # the same, as channels_redis takes it
    REDIS_PLACE: str = ""  # what the log may say of it
    CHANNEL_LAYERS: dict[str, Any] = {}
    DATABASE_VARIABLE: str = "DATABASE_URL"  # which one the database's address comes from
    DATABASE_POOL: int = 8  # connections of one process

    # What the plans allow; 0: not known
    REPLICAS: int = 1
    WEB_CONCURRENCY: int = 2
    DATABASE_CONNECTIONS: int = 0
    REDIS_CONNECTIONS: int = 0
    DYNO: str = ""

    @property
    def FRAME_RATE(self) -> int:
        """Frames of every kind that one socket may send a second."""
        return FRAMES_PER_MESSAGE * self.MESSAGE_RATE

    def __getattribute__(self, name: str) -> Any:
        try:
            return getattr(django_settings, name)
        except AttributeError:
            return object.__getattribute__(self, name)


settings = Settings()

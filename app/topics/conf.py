"""The settings that topics read, with what holds in a project that has none of them. See realtime.conf."""

from realtime import conf
from realtime.limits import BURST_SECONDS


class Settings(conf.Settings):
    ALLOW_GUESTS: bool = True
    MESSAGE_RATE_PER_ADDRESS: int = 0  # no limit
    TOPICS_AUTHENTICATION: tuple[str, ...] = ()  # dotted names, see topics.tokens.authentication
    # What each connection to Postgres sets: whoever acknowledges after COMMIT must know that COMMIT means disk.
    DATABASE_SESSION: dict[str, str] = {"synchronous_commit": "on"}

    @property
    def MESSAGE_BURST(self) -> int:
        """Messages of one person at once."""
        return BURST_SECONDS * self.MESSAGE_RATE


settings = Settings()

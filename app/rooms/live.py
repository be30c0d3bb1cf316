"""The rooms as the hub sees them: where to read, and how its own frames are worded."""

import logging
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, cast

from django.db import Error as DatabaseError

from realtime import hubs, registry
from realtime.contract import Changed, Follower, Numbered
from realtime.hub import Hub
from realtime.standing import Notice, Verdict
from rooms import frames, log, sweeping
from rooms.log import Page
from rooms.standing import Present, Standing
from topics import database
from topics.gathering import Gathering
from topics.live import TOPICS
from topics.models import Installation

logger = logging.getLogger(__name__)

PAGES: Final = 8  # read together: of 200 messages each, which may be long
SWEEP_SECONDS: Final = 3_600  # between two looks for empty rooms


class Rooms:
    def __init__(self) -> None:
        self._standing = Standing()
        self._sweep_at = 0.0  # of the clock that never goes back

    async def identity(self) -> str:
        return await database.run(database.readers, Installation.identity)

    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        """Rooms that are opened together, after a deploy for example, are read together."""
        reading = registry.here().get(pages, lambda: Gathering(pages, PAGES))
        return await reading.ask(Page(int(room), after, limit))

    async def changed(self, seconds: float) -> list[Changed]:
        if monotonic() >= self._sweep_at:
            await self._sweep()
        return await database.run(database.readers, log.changed, seconds)

    async def notices(self, seconds: float) -> Sequence[Notice]:
        return await TOPICS.notices(seconds)

    async def judge(self, followers: Sequence[Follower], doubted: bool) -> Verdict:
        return await database.run(database.readers, self._standing.judge, cast(Sequence[Present], followers), doubted)

    async def _sweep(self) -> None:
        """A bounded number of empty rooms; where there are more, the next ones at the next check."""
        self._sweep_at = monotonic() + SWEEP_SECONDS
        inside = [int(key) for key, feed in hub().feeds.items() if not feed.seq]
        try:
            if await database.run(database.readers, sweeping.sweep, inside) == sweeping.AT_ONCE:
                self._sweep_at = 0.0
        except DatabaseError as error:  # the log is asked all the same: it can be read where nothing can be written
            logger.warning("empty rooms could not be swept: %s", error)

    def seq_frame(self, room: str, seq: int, epoch: str) -> str:
        return frames.seq(seq)

    def presence_frame(
        self, room: str, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int
    ) -> str:
        return frames.presence(joined, left, member_count)


def pages(wanted: list[Page]) -> Sequence[list[Numbered]]:
    read = log.read_all(wanted)
    return [read[page] for page in wanted]


ROOMS = Rooms()


def hub() -> Hub:
    """The running loop's hub."""
    return hubs.here(ROOMS)

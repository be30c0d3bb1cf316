"""The rooms as the hub sees them: where to read, and how its own frames are worded."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from realtime import hubs
from realtime.feed import Follower, Numbered
from realtime.hub import Changed, Hub
from realtime.standing import Verdict
from rooms import database, frames, log
from rooms.gathering import Gathering
from rooms.log import Page
from rooms.models import Installation
from rooms.standing import Present, Standing

PAGES: Final = 8  # read together: of 200 messages each, which may be long


class Rooms:
    def __init__(self) -> None:
        self._reading: WeakKeyDictionary[asyncio.AbstractEventLoop, Gathering[Page, list[Numbered]]] = (
            WeakKeyDictionary()
        )
        self._standing = Standing()

    async def identity(self) -> str:
        return await database.run(database.readers, Installation.identity)

    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        """Rooms that are opened together, after a deploy for example, are read together."""
        reading = self._reading.setdefault(asyncio.get_running_loop(), Gathering(pages, PAGES))
        return await reading.ask(Page(int(room), after, limit))

    async def changed(self, seconds: float) -> list[Changed]:
        return await database.run(database.readers, log.changed, seconds)

    async def judge(self, followers: Sequence[Follower], doubted: bool) -> Verdict:
        return await database.run(database.readers, self._standing.judge, cast(Sequence[Present], followers), doubted)

    def seq_frame(self, seq: int) -> str:
        return frames.seq(seq)

    def presence_frame(self, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int) -> str:
        return frames.presence(joined, left, member_count)


def pages(wanted: list[Page]) -> Sequence[list[Numbered]]:
    read = log.read_all(wanted)
    return [read[page] for page in wanted]


ROOMS = Rooms()


def hub() -> Hub:
    """The running loop's hub."""
    return hubs.here(ROOMS)

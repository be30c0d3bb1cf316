"""The rooms as the hub sees them: where to read, and how its own frames are worded."""

from typing import Any

from realtime import hubs
from realtime.feed import Numbered
from realtime.hub import Changed, Hub
from rooms import database, frames, log


class Rooms:
    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        return await database.run(database.readers, log.read, int(room), after, limit)

    async def changed(self, seconds: float) -> list[Changed]:
        return await database.run(database.readers, log.changed, seconds)

    def seq_frame(self, seq: int) -> str:
        return frames.seq(seq)

    def presence_frame(self, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int) -> str:
        return frames.presence(joined, left, member_count)


ROOMS = Rooms()


def hub() -> Hub:
    """The running loop's hub."""
    return hubs.here(ROOMS)

"""What is added to events that grow is told twenty times a second, by a task of the hub's loop."""

import asyncio
from collections.abc import Callable
from typing import Final

from realtime import request_id
from realtime.hub import Hub
from realtime.registry import ended
from topics.delivery.live import PREFIX
from topics.growing.growth import Growth

TELL_SECONDS: Final = 0.05
TELL_PAUSES: Final = 2  # times as long as telling took: it has a third of a busy loop
TOLD_TOGETHER: Final = 50  # events, before others have their turn in the loop


class Teller:
    """One per loop: tells what is added, as long as something grows."""

    def __init__(self, hub: Hub, growths: Callable[[], list[Growth]]) -> None:
        self._hub = hub
        self._growths = growths
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = self._hub.loop.create_task(self._tell(), context=request_id.apart())

    async def finish(self) -> None:
        """The end of each tells all."""

    async def close(self) -> None:
        await ended([self._task])

    async def _tell(self) -> None:
        loop = self._hub.loop
        while growths := self._growths():
            took = 0.0
            while growths:
                began = loop.time()
                for growth in growths[-TOLD_TOGETHER:]:
                    self._mention(growth)
                del growths[-TOLD_TOGETHER:], growth  # who writes may leave it without a word
                took += loop.time() - began
                await asyncio.sleep(0)
            await asyncio.sleep(max(TELL_SECONDS, TELL_PAUSES * took))

    def _mention(self, growth: Growth) -> None:
        room = PREFIX + growth.topic
        if room not in self._hub.feeds:
            growth.pass_over_here()
        elif frame := growth.more_here():
            self._hub.mention_growth(room, frame)
        if growth.has_more_elsewhere:
            self._hub.offer_growth(room, growth.more_elsewhere)

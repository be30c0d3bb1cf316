"""What the layer brings to this process, and whether it brings anything: the ear of a line to the other processes."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from time import time
from typing import Any

from realtime import metrics
from realtime.events import Event
from realtime.failures import contained, keep
from realtime.limits import LAYER_RETRY_SECONDS
from realtime.outage import kind
from realtime.registry import ended
from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)


class Ear:
    """`receive(room, event)` is called for what other processes of the same `installation` sent."""

    def __init__(self, layer: Any, process: str, receive: Callable[[str | None, Event], None]) -> None:
        self.installation = ""
        self.waits = False  # for what this process has sent to itself
        self._layer = layer
        self._process = process
        self._receive = receive
        self._unread = Seldom()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    def open(self, channel: str) -> None:
        self.waits = False
        self._task = keep("listening to other processes", partial(self._listen, channel))

    async def close(self) -> None:
        await ended([self._task])

    async def _listen(self, channel: str) -> None:
        while True:
            try:
                self._hear(await self._layer.receive(channel))
            except Exception as error:  # also what another version means by it: what matters is in the log
                if (times := self._unread.due("")) is not None:
                    logger.warning("a message of another process cannot be read: %s%s", kind(error), again(times))
                await asyncio.sleep(LAYER_RETRY_SECONDS)

    def _hear(self, message: Any) -> None:
        if message.get("of") != self.installation:
            metrics.foreign.inc(len(message.get("events", ())))
            return
        if message["from"] == self._process:
            self.waits = False
            if message["room"] is not None:
                return  # the sockets here have it already
        for event in message["events"]:
            with contained("an event of another process"):
                self._receive(message["room"], event)
        if (at := message.get("at")) is not None and message["from"] != self._process:
            self._loop.call_soon(_note_lag, at)  # behind the rounds by which these are handed out


def _note_lag(at: float) -> None:
    """Clocks of two hosts may differ, and nothing comes before it was said."""
    metrics.layer_lag_seconds.observe(max(0.0, time() - at))

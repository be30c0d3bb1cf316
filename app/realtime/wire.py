"""The hub's line to the other processes: one channel, many groups, one task that sends.

A Redis may serve several installations, and its publish and subscribe know no database numbers: every group's name
and every message carry the identity of the installation. What carries another one is dropped and counted.

Everything here may fail, stall or lose: what cannot be sent in time is dropped and counted, groups that
could not be entered are tried again, and nobody but this task waits.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from realtime import layers, metrics, outage
from realtime.events import TYPE, Event
from realtime.failures import keep
from realtime.hearing import Ear
from realtime.limits import (
    ECHO_SECONDS,
    END_SECONDS,
    LAYER_CHARACTERS,
    LAYER_MESSAGE_EVENTS,
    LAYER_PAUSE_SECONDS,
    LAYER_PAUSES,
    LAYER_RETRY_SECONDS,
    LAYER_ROOMS,
    LAYER_SECONDS,
    RENEW_SECONDS,
)
from realtime.outgoing import More, Outgoing
from realtime.registry import ended

logger = logging.getLogger(__name__)

FLUSH_POLL_SECONDS = 0.01
LAYER_END_SECONDS = END_SECONDS / 4


class Wire:
    """`receive(room, event)` is called for what other processes sent, `entered(room)` once a group is joined.

    `identify()` tells which installation this is. It is asked before anything is sent, until it has answered.
    `place` is where the layer leads, and `common` whether what is for all processes comes here.
    """

    def __init__(
        self,
        layer: Any,
        process: str,
        identify: Callable[[], Awaitable[str]],
        receive: Callable[[str | None, Event], None],
        entered: Callable[[str], None],
        place: str = "",
        common: bool = True,
    ) -> None:
        self._layer = layer
        self._process = process
        self._identify = identify
        self._installation = ""
        self._entered = entered
        self._ear = Ear(layer, process, receive)
        self._outage = outage.layer(place)
        self._channel: str | None = None
        self._wanted: set[str | None] = {None} if common else set()
        self._joined: set[str | None] = set()
        self._expiring: set[str | None] = set()  # joined so long ago that the layer may forget it soon
        self._stale = self._wanted.copy()  # where wanted and joined may differ
        self._outgoing = Outgoing()
        self._wake = asyncio.Event()
        self._wake.set()
        self._loop = asyncio.get_running_loop()
        self._renewed = self._asked = self._loop.time()
        self._asks = False
        self._task = keep("the line to other processes", self._run)

    def enter(self, room: str) -> None:
        self._wanted.add(room)
        self._changed(room)

    def discard(self, room: str) -> None:
        self._wanted.discard(room)
        self._changed(room)

    def send(self, room: str | None, event: Event) -> None:
        """Queues an event for the room's group, or for all processes."""
        if self._outgoing.characters >= LAYER_CHARACTERS:
            metrics.layer_dropped.inc()
            return
        self._outgoing.put(room, event)
        self._wake.set()

    def offer(self, room: str, more: More) -> None:
        """Queues what grows there, of which more is told when it is its turn."""
        self._outgoing.offer(room, more)
        self._wake.set()

    async def flushed(self) -> None:
        """Returns when the layer has taken everything."""
        while self._outgoing.characters:
            await asyncio.sleep(FLUSH_POLL_SECONDS)

    async def close(self) -> None:
        """Sends what is queued, leaves all groups and ends the connections, as far as the layer answers in a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAYER_END_SECONDS):
                await self.flushed()
        await ended([self._task])
        await self._ear.close()
        with contextlib.suppress(Exception):  # a layer forgets its members by itself, too
            async with asyncio.timeout(LAYER_END_SECONDS):
                for room in tuple(self._joined):
                    await self._layer.group_discard(self._group_of(room), self._channel)
        await layers.disconnect(self._layer)

    def renew(self) -> None:
        """Enters every group anew once in a while, since layers let memberships expire. To be called all the time."""
        now = self._loop.time()
        if now - self._asked > ECHO_SECONDS:
            self._asked, self._asks = now, True
            self._wake.set()
        if now - self._renewed > RENEW_SECONDS:
            self._renewed = now
            self._expiring |= self._joined
            self._stale |= self._joined
            self._wake.set()

    def _changed(self, room: str) -> None:
        self._stale.add(room)
        self._wake.set()

    # --- The task ----------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._installation:
            try:
                self._installation = self._ear.installation = await self._identify()
            except Exception as error:
                logger.warning("it cannot be read which installation this is: %s", error)
                await asyncio.sleep(LAYER_RETRY_SECONDS)
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._listens()
                await self._reconcile()
                await self._flush()
            except Exception as error:
                metrics.layer_failures.inc()
                self._outgoing.forget_growth()
                self._outage.failed(error)
                await asyncio.sleep(LAYER_RETRY_SECONDS)
                self._wake.set()

    async def _listens(self) -> None:
        """Sends itself a word now and then. Who does not hear that hangs on a server that is gone, and starts anew."""
        if not self._asks or self._channel is None or not layers.may_hang(self._layer):
            return
        self._asks = False
        if not self._ear.waits:
            await self._in_time(self._layer.send(self._channel, self._message(None, 0, [])[1]))
            self._ear.waits = True
            return
        metrics.layer_failures.inc()
        await self._ear.close()
        await self._in_time(layers.disconnect(self._layer))
        self._channel = None
        self._joined.clear()
        self._stale |= self._wanted
        self._outage.failed(TimeoutError())

    async def _reconcile(self) -> None:
        """Makes the layer's idea of this process's groups the same as ours."""
        if self._channel is None:
            self._channel = await self._in_time(self._layer.new_channel())
            self._ear.open(self._channel)
        began, changes = self._loop.time(), bool(self._stale)
        while self._stale:
            room = next(iter(self._stale))
            if room in self._wanted and (room not in self._joined or room in self._expiring):
                await self._in_time(self._layer.group_add(self._group_of(room), self._channel))
                self._joined.add(room)
                if room is not None:
                    self._entered(room)
            elif room not in self._wanted and room in self._joined:
                await self._in_time(self._layer.group_discard(self._group_of(room), self._channel))
                self._joined.discard(room)
            self._expiring.discard(room)
            if (room in self._wanted) == (room in self._joined):
                self._stale.discard(room)
        if changes:
            await self._pause(began, LAYER_PAUSE_SECONDS)

    async def _flush(self) -> None:
        """A round: as many rooms as are queued now, a few at a time."""
        rooms = len(self._outgoing)
        longest = LAYER_PAUSE_SECONDS * LAYER_ROOMS / max(rooms, LAYER_ROOMS)
        while rooms > 0 and self._outgoing:
            for some in self._outgoing.turns():
                began = self._loop.time()
                await self._tell(some)
                rooms -= len(some)
                await self._pause(began, longest)

    async def _pause(self, began: float, longest: float) -> None:
        await asyncio.sleep(min(LAYER_PAUSES * (self._loop.time() - began), longest))

    async def _tell(self, rooms: Sequence[str | None]) -> None:
        """What waits for these, together: a question to Redis for each would cost as much as all else about it."""
        taken = [(room, *self._outgoing.take(room)) for room in rooms]
        messages = [
            self._message(room, at, events[first : first + LAYER_MESSAGE_EVENTS])
            for room, at, events in taken
            for first in range(0, len(events), LAYER_MESSAGE_EVENTS)
        ]
        try:
            for first in range(0, len(messages), LAYER_ROOMS):
                await self._publish(messages[first : first + LAYER_ROOMS])
        finally:
            for _, _, events in taken:
                self._outgoing.told(events)

    def _message(self, room: str | None, at: float, events: list[Event]) -> layers.Message:
        message = {
            "type": TYPE,
            "of": self._installation,
            "from": self._process,
            "room": room,
            "events": events,
            "at": at,
        }
        return self._group_of(room), message

    async def _publish(self, messages: list[layers.Message]) -> None:
        """What a process hears again it drops by its number."""
        try:
            await self._in_time(layers.send_all(self._layer, messages))
        except Exception:
            try:
                await self._in_time(layers.send_all(self._layer, messages))
            except Exception:
                metrics.layer_dropped.inc(sum(len(message["events"]) for _, message in messages))
                raise

    def _group_of(self, room: str | None) -> str:
        return layers.group_of(room, self._installation)

    async def _in_time(self, answer: Any) -> Any:
        async with asyncio.timeout(LAYER_SECONDS):
            answered = await answer
        self._outage.answered()
        return answered

"""Several servers of Redis: a line to each, which fails and heals by itself, and each room on one of them.

Which one follows from the room's key and the servers' places alone (rendezvous hashing): one server more takes over
its share of each of the others' rooms, and all others stay where they are. channels_redis shares groups out as well,
but over one line: while one server is away, it would hold up what goes to the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from realtime import layers
from realtime.events import Event
from realtime.outgoing import More
from realtime.wire import Wire

REMEMBERED: Final = 65_536  # rooms of which it is known which server has them


def over(layer: Any, *arguments: Any) -> "Wire | Wires":
    """The line to the other processes; the arguments are a Wire's, behind its layer."""
    parts = layers.parts(layer)
    return Wire(layer, *arguments) if len(parts) < 2 else Wires(parts, *arguments)


class Wires:
    """As one Wire. What is told to all processes goes by way of the server that has the group of all."""

    def __init__(
        self,
        parts: dict[str, Any],
        process: str,
        identify: Callable[[], Awaitable[str]],
        receive: Callable[[str | None, Event], None],
        entered: Callable[[str], None],
    ) -> None:
        places = sorted(parts)
        common = share(places, layers.COMMON)
        self._wires = {
            place: Wire(parts[place], process, identify, receive, entered, place=place, common=place == common)
            for place in places
        }
        self._common = self._wires[common]
        self._of_room = lru_cache(REMEMBERED)(lambda room: self._wires[share(places, room)])

    def enter(self, room: str) -> None:
        self._of_room(room).enter(room)

    def discard(self, room: str) -> None:
        self._of_room(room).discard(room)

    def send(self, room: str | None, event: Event) -> None:
        (self._common if room is None else self._of_room(room)).send(room, event)

    def offer(self, room: str, more: More) -> None:
        self._of_room(room).offer(room, more)

    async def flushed(self) -> None:
        await asyncio.gather(*(wire.flushed() for wire in self._wires.values()))

    async def close(self) -> None:
        await asyncio.gather(*(wire.close() for wire in self._wires.values()))

    def renew(self) -> None:
        for wire in self._wires.values():
            wire.renew()


def share(places: list[str], key: str) -> str:
    """The place that has it: whoever draws the highest number for this key."""
    return max(places, key=lambda place: blake2b(f"{place} {key}".encode(), digest_size=8).digest())

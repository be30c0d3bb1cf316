"""The last events of one log, kept for those who return."""

from collections import deque
from sys import getsizeof
from typing import Final

from realtime.contract import Numbered
from realtime.limits import MEMORY_BYTES, MEMORY_EVENTS
from realtime.waiting import Held

remembered: Final = Held()


class Memory:
    """`remembered` is how many bytes all of the process's take together."""

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events: deque[Numbered] = deque()

    def add(self, event: Numbered) -> None:
        self._events.append(event)
        remembered.used += getsizeof(event.frame)
        while self._events and (len(self._events) > MEMORY_EVENTS or remembered.used > MEMORY_BYTES):
            remembered.used -= getsizeof(self._events.popleft().frame)

    def after(self, position: int) -> list[Numbered]:
        """What followed that number; nothing where memory does not reach back that far."""
        if not self._events or self._events[0].seq > position + 1:
            return []
        return [event for event in self._events if event.seq > position]

    def clear(self) -> None:
        remembered.used -= sum(getsizeof(event.frame) for event in self._events)
        self._events.clear()

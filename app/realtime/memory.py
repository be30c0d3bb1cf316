"""The last events of one log, kept for those who return."""

from collections import deque
from sys import getsizeof

from realtime.contract import Numbered
from realtime.limits import MEMORY_BYTES, MEMORY_EVENTS


class Memory:
    """`used` is how many bytes all of the process's take together."""

    __slots__ = ("_events",)

    used = 0

    def __init__(self) -> None:
        self._events: deque[Numbered] = deque()

    def add(self, event: Numbered) -> None:
        self._events.append(event)
        Memory.used += getsizeof(event.frame)
        while self._events and (len(self._events) > MEMORY_EVENTS or Memory.used > MEMORY_BYTES):
            Memory.used -= getsizeof(self._events.popleft().frame)

    def after(self, position: int) -> list[Numbered]:
        """What followed that number; nothing where memory does not reach back that far."""
        if not self._events or self._events[0].seq > position + 1:
            return []
        return [event for event in self._events if event.seq > position]

    def clear(self) -> None:
        Memory.used -= sum(getsizeof(event.frame) for event in self._events)
        self._events.clear()

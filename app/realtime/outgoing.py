"""What waits for the channel layer, by room. Words of events that grow let everything else go first."""

from collections.abc import Callable, Iterator
from itertools import islice
from time import time

from realtime import tracing
from realtime.events import Event
from realtime.limits import LAYER_ROOMS

More = Callable[[], str | None]
"""The frame with what was added to an event that grows, if anything was; asked when it is told."""


def weight(event: Event) -> int:
    """What an event takes of the queue's bound, in characters, about."""
    return len(event.get("frame", "")) + 200


class Outgoing:
    """`characters` also counts what has been taken and not been told yet."""

    def __init__(self) -> None:
        self.characters = 0
        self._said: dict[str | None, tuple[float, list[Event]]] = {}  # since when, and what
        self._growing: dict[str | None, dict[More, None]] = {}

    def __len__(self) -> int:
        """Rooms, of which some are asked twice."""
        return len(self._said) + len(self._growing)

    def put(self, room: str | None, event: Event) -> None:
        if (said := self._said.get(room)) is None:
            said = self._said[room] = time(), []
        said[1].append(event)
        self.characters += weight(event)

    def offer(self, room: str, more: More) -> None:
        """Once in the queue, however often: all that was added meanwhile is in the one frame."""
        self._growing.setdefault(room, {})[more] = None

    def turns(self) -> Iterator[tuple[str | None, ...]]:
        """A few rooms, then a few in which something only grows: a thousand of these delay the others by a few."""
        for queue in (self._said, self._growing):
            if some := tuple(islice(queue, LAYER_ROOMS)):
                yield some

    def take(self, room: str | None) -> tuple[float, list[Event]]:
        """All that waits there, and since when: what grows first, as its end may be behind it."""
        events: list[Event] = [
            {"frame": frame, "grows": True} for more in self._growing.pop(room, ()) if (frame := more())
        ]
        self.characters += sum(map(weight, events))
        said = self._said.pop(room, None)
        return (time(), events) if said is None else (said[0], events + said[1])

    def forget_growth(self) -> None:
        """It is offered again as long as it grows."""
        self._growing.clear()

    def told(self, events: list[Event]) -> None:
        self.characters -= sum(map(weight, events))
        if tracing.tracer is not None:
            tracing.tracer.published(events)

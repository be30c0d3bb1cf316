"""What the layer has lost between the processes: how it is noticed and asked for.

Every process numbers its changes, and is heard only in rooms where the listener has sockets: the numbers that
one hears have holes by design. What tells a loss from a hole is the number of a *room's* last change.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from realtime.presence.roster import NEVER

RECENT_ROOMS = 500  # that a lease lists; with half as many new ones it is due early, so that one may get lost
ASK_AGAIN_SECONDS = 2.0  # when no answer has come


class Journal:
    """The rooms of this process that have changed last: all whose number is above `since`."""

    def __init__(self) -> None:
        self._number = 1  # as of which nobody is anywhere; so 0 can be the number of those who know nothing
        self._since = 0
        self._recent: dict[str, int] = {}  # room -> number of its last change, ascending
        self._listed = 0

    @property
    def number(self) -> int:
        """Of the last change."""
        return self._number

    def note(self, room: str) -> int:
        """A change's number."""
        self._number += 1
        self._recent.pop(room, None)
        self._recent[room] = self._number
        if len(self._recent) > RECENT_ROOMS:
            self._since = self._recent.pop(next(iter(self._recent)))
        return self._number

    @property
    def long(self) -> bool:
        return self._number - self._listed >= RECENT_ROOMS // 2

    def list(self) -> dict[str, Any]:
        """What a lease says of changes."""
        self._listed = self._number
        return {"number": self._number, "since": self._since, "recent": dict(self._recent)}


class Want(NamedTuple):
    """The state of a room, as of this number or a later one."""

    as_of: int
    ask_at: float


class Gaps:
    """What this process has missed of the others' changes."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}  # process -> number of its last change that a lease has told of
        self._wants: dict[str, dict[str, Want]] = {}

    def knows(self, process: str) -> bool:
        return process in self._seen

    def compare(self, lease: dict[str, Any], rooms: Collection[str]) -> dict[str, int]:
        """As of which number, at least, each of these rooms must be known after the lease."""
        seen = self._seen.get(lease["process"], 0)
        self._seen[lease["process"]] = max(lease["number"], seen)
        if lease["since"] > seen:  # what changed between the two is listed nowhere
            return dict.fromkeys(rooms, lease["number"])
        return {room: number for room, number in lease["recent"].items() if room in rooms}

    def open(self, room: str) -> None:
        """The room is new here, and nothing is known of it."""
        for process, seen in self._seen.items():
            self.want(process, room, seen)

    def close(self, room: str) -> None:
        for wants in self._wants.values():
            wants.pop(room, None)

    def want(self, process: str, room: str, as_of: int) -> None:
        wants = self._wants.setdefault(process, {})
        before = wants.get(room, Want(0, NEVER))
        if before.as_of < as_of:
            wants[room] = before._replace(as_of=as_of)

    def fill(self, process: str, room: str, as_of: int) -> None:
        wants = self._wants.get(process, {})
        if room in wants and wants[room].as_of <= as_of:
            del wants[room]

    def due(self, now: float) -> Iterator[tuple[list[str], tuple[str, ...]]]:
        """Whom to ask for which rooms."""
        asks: dict[tuple[str, ...], list[str]] = {}
        for process, wants in self._wants.items():
            if rooms := tuple(room for room, want in wants.items() if want.ask_at <= now):
                asks.setdefault(rooms, []).append(process)
            for room in rooms:
                wants[room] = wants[room]._replace(ask_at=now + ASK_AGAIN_SECONDS)
        return ((processes, rooms) for rooms, processes in asks.items())

    def forget(self, process: str) -> None:
        self._seen.pop(process, None)
        self._wants.pop(process, None)

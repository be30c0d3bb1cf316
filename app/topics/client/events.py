"""What a topic tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """`key` is the same wherever the person appears."""

    key: str
    name: str
    guest: bool


@dataclass(frozen=True, slots=True)
class Event:
    """`seq` is its number in the log `epoch`: both together are where to resume from.

    A change has the number of the event that it changes in `about`, and that one's new data, or `retracted`.
    """

    seq: int
    id: str
    at: datetime
    by: Person | None
    data: Any
    epoch: str
    about: int | None = None
    retracted: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that has no number and may get lost."""

    by: Person | None
    data: Any


@dataclass(frozen=True, slots=True)
class More:
    """The event with that number, which grows, has this text by now: all of it. Its end is a change."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Presence:
    """Who has come and gone. `member_count` is how many there are by now."""

    joined: tuple[Person, ...]
    left: tuple[Person, ...]
    member_count: int


@dataclass(frozen=True, slots=True)
class Reset:
    """What came so far cannot be continued: the events that follow are the latest ones, and replace it."""

    epoch: str
    seq: int


News = Event | More | Signal | Presence | Reset


class Ack(NamedTuple):
    """The event is stored for good. `seq` and `at` are None where the topic took it and appended nothing."""

    id: str
    seq: int | None
    at: datetime | None


class Position(NamedTuple):
    """Where somebody has got to in a topic, to be kept and given to `join`."""

    epoch: str
    since: int


def event_of(frame: Frame, epoch: str) -> Event:
    """Of an `event` or a `change`."""
    by, at = somebody(frame["by"]), datetime.fromisoformat(frame["at"])
    id, data = frame.get("id", ""), frame.get("data")
    return Event(frame["seq"], id, at, by, data, epoch, frame.get("about"), frame.get("retracted", False))


def presence_of(frame: Frame) -> Presence:
    joined, left = (tuple(map(person_of, frame[side])) for side in ("joined", "left"))
    return Presence(joined, left, frame["member_count"])


def ack_of(frame: Frame) -> Ack:
    return Ack(frame["id"], frame["seq"], datetime.fromisoformat(frame["at"]) if frame["at"] else None)


def person_of(shown: Frame) -> Person:
    return Person(shown["key"], shown["name"], shown["guest"])


def somebody(shown: Frame | None) -> Person | None:
    return person_of(shown) if shown else None

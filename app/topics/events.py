"""What the public names give back."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from topics.people import Person

if TYPE_CHECKING:
    from topics.storing.log import Stored


class Position(NamedTuple):
    """The number of a log's last event, and which log it is: the one to be, where nothing has been appended yet."""

    epoch: str
    seq: int


class Recent(NamedTuple):
    """A topic that has events: how many it has had, and when the last one came."""

    topic: Any  # of the class that was asked
    seq: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something stored and numbered in a topic.

    `seq` is 1, 2, 3… in its topic, `id` its author's own name for it, `text` its data as JSON; None where it was
    retracted. `about` is the number of the event that this one changed; else None.
    """

    seq: int
    id: str
    at: datetime
    by: Person | None
    text: str
    about: int | None = None
    retracted: bool = False

    @property
    def data(self) -> Any:
        return json.loads(self.text)


def event_of(stored: "Stored") -> Event:
    return Event(stored.seq, stored.id, stored.at, stored.person, stored.data, stored.about, stored.retracted)

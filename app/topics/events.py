"""What the public names give back."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from topics.log import Stored
from topics.people import Person


class Position(NamedTuple):
    """The number of a log's last event, and which log it is: ("", 0) where nothing has been appended yet."""

    epoch: str
    seq: int


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


def event_of(stored: Stored) -> Event:
    return Event(stored.seq, stored.id, stored.at, stored.person, stored.data, stored.about, stored.retracted)

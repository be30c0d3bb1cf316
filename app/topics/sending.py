"""What clients send to topics, on its way into the logs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from topics import live, logs, writer
from topics.log import New, Outcome, Stored, append_all
from topics.outcomes import Removed
from topics.people import Person


class Sent(NamedTuple):
    """Something that a client has sent. `id` is its author's name for it, `data` JSON text."""

    topic: str
    id: str
    person: Person
    data: str


class Writer(writer.Writer):
    def log_of(self, entry: Sent) -> str:
        return entry.topic

    def append_all(self, entries: Sequence[Sent], *, skip_locked: bool) -> list[Outcome]:
        return append_sent(entries, skip_locked=skip_locked)

    def publish(self, entry: Sent, outcome: Any) -> None:
        if isinstance(outcome, Stored) and outcome.fresh:
            live.publish(self.hub, entry.topic, outcome)


def append_sent(entries: Sequence[Sent], *, skip_locked: bool) -> list[Outcome]:
    """Where it is the log that is gone, and not the author, the event makes another."""
    outcomes = append_all([_new(entry) for entry in entries], skip_locked=skip_locked)
    gone = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Removed)]
    if gone:
        for place in gone:
            logs.forget(entries[place].topic)
        again = append_all([_new(entries[place]) for place in gone], skip_locked=skip_locked)
        for place, outcome in zip(gone, again, strict=True):
            outcomes[place] = outcome
    return outcomes


def _new(entry: Sent) -> New:
    return New(logs.key_of(entry.topic), entry.id, entry.person, entry.data)

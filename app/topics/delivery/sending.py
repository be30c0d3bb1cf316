"""What clients send to topics, on its way into the logs."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import Error, connection

from topics.delivery import live
from topics.errors import Refused
from topics.people import Person
from topics.storing import faults, logs, writer
from topics.storing.log import New, Outcome, Stored, append_all
from topics.storing.outcomes import Removed, Unavailable, Unstorable
from topics.topic import Topic

logger = logging.getLogger(__name__)


class Sent(NamedTuple):
    """Something that a client has sent. `id` is its author's name for it, `data` JSON text.

    `epoch` is of the log that its sender follows, if any: what is meant for that one is not stored in another.
    """

    topic: Topic
    id: str
    person: Person
    data: str
    epoch: str = ""


class Writer(writer.Writer):
    def log_of(self, entry: Sent) -> str:
        return entry.topic.name

    def append_all(self, entries: Sequence[Sent], *, skip_locked: bool) -> list[Outcome]:
        return append_sent(entries, skip_locked=skip_locked)

    def publish(self, entry: Sent, outcome: Any) -> None:
        if isinstance(outcome, Stored) and outcome.fresh:
            live.publish(self.hub, entry.topic.name, outcome)


def append_sent(entries: Sequence[Sent], *, skip_locked: bool) -> list[Outcome]:
    """Where it is the log that is gone, and not the author, the event makes another, unless its sender follows it."""
    outcomes = _append(entries, skip_locked=skip_locked)
    gone = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Removed)]
    if gone:
        for place in gone:
            logs.forget(entries[place].topic.name)
        again = _append([entries[place] for place in gone], skip_locked=skip_locked)
        for place, outcome in zip(gone, again, strict=True):
            outcomes[place] = outcome
    return outcomes


def _append(entries: Sequence[Sent], *, skip_locked: bool) -> list[Outcome]:
    refused = _make_logs(entries)
    found = [refused.get((entry.topic.name, entry.person.key)) or _new(entry) for entry in entries]
    stored = iter(append_all([new for new in found if isinstance(new, New)], skip_locked=skip_locked))
    return [next(stored) if isinstance(new, New) else new for new in found]


def _make_logs(entries: Sequence[Sent]) -> dict[tuple[str, str], Refused]:
    """Topics that are begun together get their logs together; which topics were refused to whom.

    Where that goes wrong, each is looked at by itself.
    """
    begun = {entry.topic.name: entry for entry in reversed(entries) if logs.remembered(entry.topic.name) is None}
    if len(begun) < 2:
        return {}
    try:
        there = logs.look_all(begun)
        wanted = [
            logs.Wanted(entry.topic, entry.person, entry.person)
            for name, entry in begun.items()
            if name not in there and not entry.epoch
        ]
        made = logs.make_all(wanted)
    except Exception:
        return {}
    return {(name, begun[name].person.key): one for name, one in made.items() if isinstance(one, Refused)}


def _new(entry: Sent) -> New | Outcome:
    """What is to be appended to which log; or why it is not, which hinders no other."""
    try:
        if entry.epoch and not _follows(entry):
            return Removed()
        return New(_key_of(entry), entry.id, entry.person, entry.data)
    except Refused as refused:
        return refused
    except Error as error:
        if faults.is_permanent(error):
            return Unstorable()
        logger.warning("the log of %s cannot be found: %s", entry.topic.name, error)
        return Unavailable(str(error))
    except Exception:
        logger.exception("%s could not begin", entry.topic.name)
        return Refused("This could not be understood.")


def _follows(entry: Sent) -> bool:
    """Whether the topic's log is still the one that the sender follows."""
    found = logs.current(entry.topic.name)
    return found is not None and found.epoch == entry.epoch


def _key_of(entry: Sent, spoiled: int = 0) -> int:
    """`spoiled`: so many connections that are to blame have been given up already."""
    try:
        return logs.key_of(entry.topic, entry.person, maker=entry.person)
    except Error as error:
        if not faults.is_connections(error) or spoiled >= faults.most_spoiled():
            raise
        connection.close()
        return _key_of(entry, spoiled + 1)

"""Appending from sync code, in the caller's transaction: a view, a task, a signal handler, a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import OperationalError, transaction

from realtime import hubs, metrics, tracing
from topics.data import encoded, encoded_signal
from topics.delivery import frames, live
from topics.delivery.live import TOPICS
from topics.delivery.traced import appending
from topics.errors import BadData, Busy, Conflict, NoSuchEvent
from topics.events import Event, event_of
from topics.growing import grown
from topics.models import MAX_ID
from topics.people import Person, person, shown
from topics.storing import log, logs
from topics.storing.log import Differs, New, Outcome, Stored, Text
from topics.storing.outcomes import Removed

if TYPE_CHECKING:
    from topics.topic import Topic

WAIT_MS: Final = 2_000  # for a topic that another transaction holds
BUSY: Final = {"55P03", "40P01", "40001"}  # lock not available, deadlock, serialization failure


def append(topic: "Topic", data: Any, id: str, by: Any) -> Event:
    text, author = check(data, id, by)
    with appending(topic):
        outcome = _append(topic, id, text, author)
        if isinstance(outcome, Removed):  # the log that was remembered has been deleted
            logs.forget(topic.name)
            outcome = _append(topic, id, text, author)
        if isinstance(outcome, Stored):
            return told(topic.name, outcome)
        if isinstance(outcome, Differs):
            raise Conflict(f"There is another event with the id {id!r} in {topic.name}.")
        raise Busy(f"{topic.name} cannot be appended to just now: try again.")


def append_on_commit(topic: "Topic", data: Any, id: str, by: Any) -> None:
    check(data, id, by)
    transaction.on_commit(partial(append, topic, data, id, by))


def _append(topic: "Topic", id: str, text: str, author: Person | None) -> Outcome:
    with busy(topic), metrics.append_seconds.time():
        (outcome,) = log.in_one_transaction([New(logs.key_of(topic, author), id, author, text)], wait_ms=WAIT_MS)
    return outcome


def check(data: Any, id: str, by: Any) -> tuple[str, Person | None]:
    """The data as JSON text, and its author. Raises BadData or TypeError with a sentence."""
    if not isinstance(id, str) or not 0 < len(id) <= MAX_ID or not id.isprintable():
        raise BadData(f"An event's id has 1 to {MAX_ID} visible characters; {id!r} is none.")
    return encoded(data), person(by)


def change(topic: "Topic", seq: int, data: Any, by: Any) -> Event:
    if callable(data):
        return _changed(topic, seq, lambda there: encoded(data(event_of(there))), by)
    return _changed(topic, seq, encoded(data), by)


def retract(topic: "Topic", seq: int, by: Any) -> Event:
    return _changed(topic, seq, None, by)


def _changed(topic: "Topic", seq: int, text: Text | None, by: Any) -> Event:
    if not isinstance(seq, int) or seq < 1:
        raise NoSuchEvent(f"An event's number is 1, 2, 3…, not {seq!r}.")
    author, key = person(by), logs.known(topic.name)
    try:
        with appending(topic), busy(topic), transaction.atomic():
            grown.forget(key or 0, seq)
            return told(topic.name, log.change(key or 0, seq, text, author))
    except Removed:  # there is no log, or no longer the one that was remembered
        logs.forget(topic.name)
        raise NoSuchEvent(f"There is no event {seq} that could be changed.") from None


def told(topic: str, stored: Stored) -> Event:
    """The event, of which the topic's followers hear after COMMIT."""
    if stored.fresh:
        tell = tracing.carried(partial(live.publish, topic=topic, stored=stored))
        transaction.on_commit(lambda: hubs.from_any_thread(TOPICS, tell))
    return event_of(stored)


def signal(topic: "Topic", data: Any, by: Any) -> None:
    text, author = encoded_signal(data), person(by)
    frame = frames.signal(topic.name, shown(author), text)
    key = author.key if author else ""
    transaction.on_commit(
        lambda: hubs.from_any_thread(TOPICS, lambda hub: hub.mention(live.PREFIX + topic.name, frame, by=key))
    )


@contextmanager
def busy(topic: "Topic") -> Iterator[None]:
    """Raises Busy where another transaction is in the way."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) in BUSY or "database is locked" in str(error):
            raise Busy(f"Another transaction holds {topic.name}: roll back and try again.") from error
        raise


def delete(topic: "Topic") -> None:
    with busy(topic):
        logs.delete(topic.name)
    _ended(topic)


def move(topic: "Topic", to: "Topic") -> None:
    if topic == to:
        return
    with busy(topic):
        if not logs.move(topic.name, to.name):
            raise Conflict(f"{to.name} has events already.")
    _ended(topic)


def _ended(topic: "Topic") -> None:
    """Also after COMMIT the log is to be looked for: until then it was there for the others, and may be remembered."""
    transaction.on_commit(lambda: logs.forget(topic.name))
    transaction.on_commit(lambda: hubs.from_any_thread(TOPICS, lambda hub: hub.doubt(room=live.PREFIX + topic.name)))

"""Appending to the logs of topics.

`append_all` is a group commit: whatever came together is stored in one transaction, which holds the rows of the
logs concerned from before it numbers until COMMIT. So numbers are 1, 2, 3… without a hole, in the order in which
they become visible, and an event whose author has used its id before is that event.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from django.db import Error, IntegrityError, connection, transaction

from realtime import metrics
from topics.errors import NoSuchEvent, Refused
from topics.models import Entry, Words
from topics.people import Person
from topics.storing import faults, statements
from topics.storing.outcomes import Locked, Removed, Unavailable, Unstorable
from topics.storing.statements import Answer, Row

logger = logging.getLogger(__name__)

LOCK_MS: Final = 200  # for a log that another transaction holds; then it is set aside, the others go on
NOBODY: Final = Person("", "", guest=False)


class Differs(Exception):
    """Its author has used this id before, for something else."""


class New(NamedTuple):
    """Something to be appended. `id` is its author's name for it, `data` JSON text."""

    log: int
    id: str
    person: Person | None
    data: str
    about: int | None = None


@dataclass(slots=True)
class Stored:
    """An event that is in the log. `fresh`: this very call put it there."""

    log: int
    seq: int
    id: str
    person: Person | None
    data: str
    at: datetime
    about: int | None = None
    retracted: bool = False
    fresh: bool = True


Text = str | Callable[[Stored], str]
"""JSON text, or what makes it of the event as it is."""

Outcome = Stored | Differs | Refused | Unavailable | Removed | Unstorable

Identity = tuple[int, str, str]
"""A log, a person's key, and what she calls the event."""


# --- Appending -------------------------------------------------------------------------------------


def append_all(news: Sequence[New], *, skip_locked: bool = False, spoiled: int = 0) -> list[Outcome]:
    """Stores them, in order, each with its outcome. What cannot be stored hinders nothing else.

    `spoiled`: so many connections that are to blame have been given up already.
    """
    if not news:
        return []
    try:
        outcomes = in_one_transaction(news, skip_locked=skip_locked)
    except (Error, ValueError, TypeError) as error:
        if faults.is_lock_timeout(error) and not skip_locked:
            return append_all(news, skip_locked=True, spoiled=spoiled)
        if faults.is_connections(error) and spoiled < faults.most_spoiled():
            connection.close()
            return append_all(news, skip_locked=skip_locked, spoiled=spoiled + 1)
        if faults.is_everybodys(error) and not faults.is_lock_timeout(error):
            logger.warning("%d events could not be stored: %s", len(news), error)
            return [Unavailable(str(error)) for _ in news]
        if len(news) > 1:  # one that cannot be stored, or somebody's account that is locked
            return _by_halves(news, skip_locked)
        return [_refused(error)]
    metrics.appended.inc(sum(isinstance(outcome, Stored) and outcome.fresh for outcome in outcomes))
    return outcomes


def _by_halves(news: Sequence[New], skip_locked: bool) -> list[Outcome]:
    """Finds the one that cannot be stored. What follows an event that met a locked log does not overtake it."""
    half = len(news) // 2
    outcomes = append_all(news[:half], skip_locked=skip_locked)
    locked = {new.log: outcome for new, outcome in zip(news, outcomes, strict=False) if isinstance(outcome, Locked)}
    rest = iter(append_all([new for new in news[half:] if new.log not in locked], skip_locked=skip_locked))
    return outcomes + [locked[new.log] if new.log in locked else next(rest) for new in news[half:]]


def _refused(error: Exception) -> Outcome:
    if isinstance(error, IntegrityError):
        return Removed()
    if faults.is_permanent(error):
        return Unstorable()
    logger.warning("an event could not be stored: %s", error)
    return Unavailable(str(error))


def in_one_transaction(news: Sequence[New], *, wait_ms: int = LOCK_MS, skip_locked: bool = False) -> list[Outcome]:
    """In the caller's own transaction, where there is one. Raises what the database raises."""
    firsts: dict[Identity, New] = {}
    for new in news:
        firsts.setdefault(_identity(new), new)
    if len(firsts) == len(news):
        return _outcomes(news, wait_ms, skip_locked)
    stored = dict(zip(firsts, _outcomes(list(firsts.values()), wait_ms, skip_locked), strict=True))
    return [
        stored[identity] if firsts[identity] is new else _again(new, stored[identity])
        for new, identity in zip(news, map(_identity, news), strict=True)
    ]


def _identity(new: New) -> Identity:
    return new.log, key_of(new.person), new.id


def _again(new: New, first: Outcome) -> Outcome:
    """What comes twice in one call."""
    if not isinstance(first, Stored):
        return first
    return replace(first, fresh=False) if first.data == new.data else Differs()


def _outcomes(news: Sequence[New], wait_ms: int, skip_locked: bool) -> list[Outcome]:
    answers = _append([_row(place, new) for place, new in enumerate(news)], wait_ms, skip_locked)
    there = Entry.objects.in_bulk([answer.there for answer in answers if answer.there])
    return [
        _outcome(new, answer, there.get(answer.there or 0), skip_locked)
        for new, answer in zip(news, answers, strict=True)
    ]


def _append(rows: list[Row], wait_ms: int, skip_locked: bool) -> list[Answer]:
    """On Postgres the one statement is a transaction by itself."""
    if connection.vendor == "postgresql":
        answers = statements.append(rows, wait_ms=wait_ms, skip_locked=skip_locked)
        if len(rows) == 1 and answers[0].held and not (answers[0].there or answers[0].at):
            answers = statements.append(rows, wait_ms=wait_ms, skip_locked=skip_locked)  # its like is visible by now
        return answers
    with transaction.atomic():
        return statements.append(rows, wait_ms=wait_ms)


def _outcome(new: New, answer: Answer, entry: Entry | None, skip_locked: bool) -> Outcome:
    if not answer.held:
        return Locked("the topic is busy") if skip_locked else Removed()
    if entry is not None:  # where it was changed since, nobody can tell any more what it was
        return stored(entry) if entry.data == new.data or entry.change else Differs()
    if answer.seq is None or answer.at is None:
        return Unavailable("another transaction stores the same event just now")
    return Stored(new.log, answer.seq, new.id, new.person, new.data, answer.at, new.about)


def stored(entry: Entry) -> Stored:
    person = person_of(entry)
    return Stored(
        entry.log_id,
        entry.seq,
        entry.client_id,
        person,
        entry.data,
        entry.at,
        entry.about,
        entry.retracted,
        fresh=False,
    )


def _row(place: int, new: New) -> Row:
    person = new.person or NOBODY
    return {
        "place": place,
        "log_id": new.log,
        "client_id": new.id,
        "author": person.key,
        "user_id": statements.user_key(person.user_id),
        "name": person.name,
        "guest": person.guest,
        "data": new.data,
        "about": new.about,
    }


def key_of(person: Person | None) -> str:
    return person.key if person else ""


def person_of(entry: Entry) -> Person | None:
    """Who came without a cookie is known by name alone."""
    if not entry.author and not entry.name:
        return None
    return Person(entry.author, entry.name, entry.guest, entry.user_id, known=bool(entry.author))


# --- Changing --------------------------------------------------------------------------------------


def change(log: int, seq: int, data: Text | None, by: Person | None) -> Stored:
    """Gives the event of that number other data, or takes it away for None, under a number of its own.

    To be called in a transaction. Raises NoSuchEvent where there is no such event, or it was retracted, and what a
    function raises that is given for the data.
    """
    about = Entry.objects.filter(log=log, seq=seq, about=None, retracted=False)
    new = New(log, secrets.token_hex(8), by, "null", about=seq)
    (outcome,) = in_one_transaction([new])  # holds the log first, as every append does
    if not isinstance(outcome, Stored):
        raise outcome
    if callable(data):
        there = about.first()
        if there is None:
            raise NoSuchEvent(f"There is no event {seq} that could be changed.")
        data = data(stored(there))
    if not about.update(data=data or "null", retracted=data is None, change=outcome.seq):
        raise NoSuchEvent(f"There is no event {seq} that could be changed.")
    Words.objects.filter(log=log, entry__seq=seq).delete()  # those that it had; what it has now follows the log
    return replace(outcome, data=data or "null", retracted=data is None)


def change_all(entries: Sequence[Entry], *, skip_locked: bool = False) -> dict[int, Stored]:
    """Stores the data that these events were given, each under a number of its own, by its author: by row.

    To be called in a transaction. Those whose log another one holds are left out where skip_locked. Raises NoSuchEvent
    where one was removed meanwhile.
    """
    news = [New(entry.log_id, secrets.token_hex(8), person_of(entry), "null", about=entry.seq) for entry in entries]
    outcomes = in_one_transaction(news, skip_locked=skip_locked) if news else []
    changes: dict[int, Stored] = {}
    for entry, outcome in zip(entries, outcomes, strict=True):
        if isinstance(outcome, Stored):
            entry.change = outcome.seq
            changes[entry.pk] = replace(outcome, data=entry.data)
        elif not isinstance(outcome, Locked):
            raise outcome
    changed = [entry for entry in entries if entry.pk in changes]
    if Entry.objects.bulk_update(changed, ["data", "change"]) != len(changed):
        raise NoSuchEvent("An event that was to be changed has just been removed.")
    return changes

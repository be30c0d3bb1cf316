"""A room's log: append to it, read it.

`append_all` is a group commit: whatever came together is stored in one transaction, which holds the rows
of the rooms concerned from before it numbers until COMMIT. So numbers are 1, 2, 3… without a hole, in the
order in which they become visible, and a message with an id that its sender has used already is that message.
The first message of a room makes it.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import Error, IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from realtime import metrics
from realtime.contract import Changed, Numbered
from rooms import frames, making, statements
from rooms.making import Birth, TooManyRooms
from rooms.models import Message, Room, key_of
from rooms.statements import Row
from topics import faults
from topics.outcomes import Locked, Removed, Unavailable, Unstorable
from topics.people import Person

logger = logging.getLogger(__name__)

CHANGED: Final = timedelta(seconds=30)  # longer than a transaction that appends may last, and the second beside it


class Conflict(Exception):
    """The sender has said something else with this id."""


class Elsewhere(Unavailable):
    """The room is made, under another key than its sender's socket was told: who comes back finds it."""


class Entry(NamedTuple):
    """Something to be appended. `id` is the sender's name for it; `birth` is of a room that it may have to make."""

    room: int
    id: str
    person: Person
    body: str
    birth: Birth | None = None


@dataclass(slots=True)
class Stored:
    """A message that is in the log. `fresh`: this very entry put it there."""

    room: int
    seq: int
    client_id: str
    person: dict[str, Any]
    body: str
    at: datetime
    epoch: str
    fresh: bool


Outcome = Stored | Conflict | Unavailable | Removed | TooManyRooms | Unstorable


# --- Appending -------------------------------------------------------------------------------------


def append_all(entries: Sequence[Entry], *, skip_locked: bool = False, spoiled: int = 0) -> list[Outcome]:
    """Stores the entries, in order, each with its outcome. What cannot be stored hinders nothing else.

    `spoiled`: so many connections that are to blame have been given up already.
    """
    if not entries:
        return []
    try:
        outcomes = _in_one_transaction(entries, skip_locked)
    except (Error, ValueError, TypeError) as error:
        if faults.is_lock_timeout(error) and not skip_locked:
            return append_all(entries, skip_locked=True, spoiled=spoiled)
        if faults.is_connections(error) and spoiled < faults.most_spoiled():
            connection.close()
            return append_all(entries, skip_locked=skip_locked, spoiled=spoiled + 1)
        # A lock that is waited for beyond the rooms' is that of somebody who speaks.
        if len(entries) > 1 and (faults.is_lock_timeout(error) or not faults.is_everybodys(error)):
            return _by_halves(entries, skip_locked)
        logger.warning("%d messages could not be stored: %s", len(entries), error)
        return [_refusal(error) for _ in entries]
    metrics.appended.inc(sum(is_fresh(outcome) for outcome in outcomes))
    return outcomes


def _by_halves(entries: Sequence[Entry], skip_locked: bool) -> list[Outcome]:
    """Finds the one that cannot be stored. What follows a message that met a locked room does not overtake it."""
    half = len(entries) // 2
    outcomes = append_all(entries[:half], skip_locked=skip_locked)
    locked = {entry.room: outcome for entry, outcome in zip(entries, outcomes, strict=False) if is_locked(outcome)}
    rest = iter(append_all([entry for entry in entries[half:] if entry.room not in locked], skip_locked=skip_locked))
    return outcomes + [locked[entry.room] if entry.room in locked else next(rest) for entry in entries[half:]]


def _refusal(error: Exception) -> Outcome:
    if isinstance(error, IntegrityError):
        return Removed()
    return Unstorable(str(error)) if faults.is_permanent(error) else Unavailable(str(error))


def is_locked(outcome: Outcome) -> bool:
    return isinstance(outcome, Locked)


def is_fresh(outcome: Outcome) -> bool:
    return isinstance(outcome, Stored) and outcome.fresh


def _in_one_transaction(entries: Sequence[Entry], skip_locked: bool) -> list[Outcome]:
    with transaction.atomic():
        logs, there = _look(entries, skip_locked)
        missing = [entry for entry in entries if entry.birth is not None and entry.room not in logs]
        refused = _make(missing, logs, there, skip_locked) if missing else {}
        seqs = {room: seq for room, (seq, _) in logs.items()}
        at = timezone.now()
        outcomes: list[Outcome] = []
        fresh: list[Row] = []
        for entry in entries:
            if entry.room not in seqs:
                outcomes.append(refused.get(entry.room) or (Locked("the room is busy") if skip_locked else Removed()))
            elif found := there.get(name := (entry.room, entry.person.id_space, entry.id)):
                outcomes.append(replace(found, fresh=False) if found.body == entry.body else Conflict())
            else:
                seq = seqs[entry.room] = seqs[entry.room] + 1
                stored = there[name] = _stored(entry, seq, at, logs[entry.room].epoch)
                outcomes.append(stored)
                fresh.append(_row(entry, seq))
        if fresh:
            statements.store(fresh, at)
        return outcomes


Logs = dict[int, statements.Log]
"""Of rooms, by key."""
Ids = dict[tuple[int, str, str], Stored]
"""Messages by room, by whose ids they have, and by id."""


def _look(entries: Sequence[Entry], skip_locked: bool) -> tuple[Logs, Ids]:
    """The logs of the rooms that could be locked, and those messages that are there already."""
    ids = [{"room_id": entry.room, "client_id": entry.id, "person_key": entry.person.id_space} for entry in entries]
    logs, keys = statements.look({entry.room for entry in entries}, ids, skip_locked=skip_locked)
    return logs, _there(entries, logs, keys) if keys else {}


def _there(entries: Sequence[Entry], logs: Logs, keys: list[int]) -> Ids:
    rows = Message.objects.filter(pk__in=keys)
    found = {(row.room_id, row.person_key, row.client_id): row for row in rows if row.room_id in logs}
    there: Ids = {}
    for room, id, person, *_ in entries:
        name = room, person.id_space, id
        if own := found.get(name):
            there[name] = _kept(own, logs[room].epoch)
        elif (old := found.get((room, "", id))) and old.seems_by(person.user_id, person.name):
            there[name] = _kept(old, logs[room].epoch)
    return there


def _make(missing: Sequence[Entry], logs: Logs, there: Ids, skip_locked: bool) -> dict[int, Elsewhere | TooManyRooms]:
    """Makes the rooms whose first messages these are, and looks again. Why a room cannot be made, by its key."""
    births = {entry.room: (entry.birth, entry.person) for entry in reversed(missing) if entry.birth is not None}
    refused: dict[int, Elsewhere | TooManyRooms] = dict(making.make(list(births.values())))
    more_logs, more = _look([entry for entry in missing if entry.room not in refused], skip_locked)
    logs |= more_logs
    there |= more
    if not skip_locked:
        absent = {birth.room.name: key for key, (birth, _) in births.items() if key not in logs.keys() | refused.keys()}
        taken = Room.objects.filter(name__in=absent).values_list("name", flat=True) if absent else ()
        refused |= {absent[name]: Elsewhere("the room has another key") for name in taken}
    return refused


def _kept(message: Message, epoch: str) -> Stored:
    person, at = message.person, message.at
    return Stored(message.room_id, message.seq, message.client_id, person, message.body, at, epoch, fresh=False)


def _stored(entry: Entry, seq: int, at: datetime, epoch: str) -> Stored:
    return Stored(entry.room, seq, entry.id, entry.person.as_dict(), entry.body, at, epoch, fresh=True)


def _row(entry: Entry, seq: int) -> Row:
    return {
        "room_id": entry.room,
        "seq": seq,
        "client_id": entry.id,
        "person_key": entry.person.id_space,
        "user_id": statements.user_key(entry.person.user_id),
        "author": entry.person.name,
        "guest": entry.person.guest,
        "body": entry.body,
    }


# --- Reading ---------------------------------------------------------------------------------------


class Page(NamedTuple):
    """The messages of a room that follow a number, at most so many."""

    room: int
    after: int
    limit: int


def read(room: int, after: int, limit: int) -> list[Numbered]:
    """The frames that follow that number, in order, at most so many."""
    return read_all([Page(room, after, limit)])[Page(room, after, limit)]


def read_all(pages: Collection[Page]) -> dict[Page, list[Numbered]]:
    """Each page, by one query. What is in several is encoded once."""
    found: dict[Page, list[Numbered]] = {page: [] for page in pages}
    wanted = [page for page in found if page.limit]
    encoded: dict[tuple[int, int], Numbered] = {}
    for message in _messages(wanted) if wanted else ():
        key = message.room_id, message.seq
        if key not in encoded:
            encoded[key] = Numbered(message.seq, frames.message(message))
        found[wanted[message.page]].append(encoded[key])
    for page in wanted:
        found[page].sort()
    return found


def _messages(pages: Sequence[Page]) -> Iterable[Any]:
    """Messages, each with the number of its page among these. Each page is planned, and limited, by itself."""
    table = Message._meta.db_table
    one = f"SELECT * FROM {table} WHERE room_id = %s AND seq > %s ORDER BY seq LIMIT %s"
    query = " UNION ALL ".join(
        f"SELECT {number} AS page, * FROM ({one}) AS page_{number}" for number in range(len(pages))
    )
    return Message.objects.raw(query, [value for page in pages for value in page])


def changed(seconds: float) -> list[Changed]:
    """The rooms in which something was said in the last so many seconds or shortly before, by the database's clock.

    Who came before such a room was made may follow it under a key that it did not get: that one has changed, too.
    """
    rows = Room.objects.filter(changed_at__gte=Now() - CHANGED - timedelta(seconds=seconds), seq__gt=0)
    return [
        Changed(str(key), epoch, seq)
        for pk, name, epoch, seq in rows.values_list("pk", "name", "epoch", "seq")
        for key in {pk, key_of(name)}
    ]

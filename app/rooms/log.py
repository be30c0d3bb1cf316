"""A room's log: append to it, read it.

`append_all` is a group commit: whatever came together is stored in one transaction, which holds the rows
of the rooms concerned from before it numbers until COMMIT. So numbers are 1, 2, 3… without a hole, in the
order in which they become visible, and a message with an id that is there already is that message.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import Error, IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from realtime import metrics
from realtime.feed import Numbered
from realtime.hub import Changed
from rooms import frames
from rooms.models import Message, Room
from rooms.people import Person

LOCK_MS: Final = 200  # for a room's row; a room that is locked longer is set aside, the others go on
CHANGED: Final = timedelta(seconds=30)  # longer than a transaction that appends may last


class Conflict(Exception):
    """There is another message with this id."""


class Unavailable(Exception):
    """It could not be stored now. Whether it was is not known; sent again, it is the same message."""


class Locked(Unavailable):
    """Another transaction holds the room."""


class Removed(Exception):
    """The room, or the sender's account, is no longer there."""


class Entry(NamedTuple):
    """Something to be appended. `id` is the sender's name for it."""

    room: int
    id: str
    person: Person
    body: str


@dataclass(slots=True)
class Stored:
    """A message that is in the log. `fresh`: this very entry put it there."""

    room: int
    seq: int
    client_id: str
    person: dict[str, Any]
    body: str
    at: datetime
    fresh: bool


Outcome = Stored | Conflict | Unavailable | Removed


# --- Appending -------------------------------------------------------------------------------------


def append_all(entries: Sequence[Entry], *, skip_locked: bool = False) -> list[Outcome]:
    """Stores the entries, in order, each with its outcome. What cannot be stored hinders nothing else."""
    try:
        outcomes = _in_one_transaction(entries, skip_locked)
    except OperationalError as error:
        if not skip_locked and is_lock_timeout(error):
            return append_all(entries, skip_locked=True)
        return [Unavailable(str(error)) for _ in entries]
    except (Error, ValueError) as error:
        if len(entries) == 1:
            return [Removed() if isinstance(error, IntegrityError) else Unavailable(str(error))]
        return [append_all([entry], skip_locked=skip_locked)[0] for entry in entries]
    metrics.appended.inc(sum(is_fresh(outcome) for outcome in outcomes))
    return outcomes


def is_lock_timeout(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == "55P03"


def is_fresh(outcome: Outcome) -> bool:
    return isinstance(outcome, Stored) and outcome.fresh


def _in_one_transaction(entries: Sequence[Entry], skip_locked: bool) -> list[Outcome]:
    with transaction.atomic():
        rooms = _locked_rooms({entry.room for entry in entries}, skip_locked)
        there = _already_there(rooms, entries)
        outcomes: list[Outcome] = []
        fresh: list[Message] = []
        for entry in entries:
            room = rooms.get(entry.room)
            if room is None:
                outcomes.append(Locked("the room is busy") if skip_locked else Removed())
                continue
            found = there.get((entry.room, entry.id))
            if found is None:
                found = there[entry.room, entry.id] = _numbered(room, entry)
                fresh.append(found)
                outcomes.append(_stored(found, fresh=True))
            else:
                outcomes.append(_stored(found, fresh=False) if found.body == entry.body else Conflict())
        Message.objects.bulk_create(fresh)
        _count({message.room_id for message in fresh}, rooms)
        return outcomes


def _locked_rooms(keys: set[int], skip_locked: bool) -> dict[int, Room]:
    """In the order of their keys, so that two transactions never wait for each other."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_MS}ms"])
    rows = Room.objects.select_for_update(skip_locked=skip_locked).filter(pk__in=keys).order_by("pk")
    return {room.pk: room for room in rows}


def _already_there(rooms: dict[int, Room], entries: Sequence[Entry]) -> dict[tuple[int, str], Message]:
    ids: dict[int, set[str]] = {}
    for entry in entries:
        ids.setdefault(entry.room, set()).add(entry.id)
    same = Q()
    for room, wanted in ids.items():
        if room in rooms:
            same |= Q(room=room, client_id__in=wanted)
    found = Message.objects.filter(same) if same else Message.objects.none()
    return {(message.room_id, message.client_id): message for message in found}


def _numbered(room: Room, entry: Entry) -> Message:
    room.seq += 1
    return Message(
        room=room,
        seq=room.seq,
        client_id=entry.id,
        user_id=entry.person.user_id,
        author=entry.person.name,
        guest=entry.person.guest,
        body=entry.body,
        at=timezone.now(),
    )


def _count(keys: Iterable[int], rooms: dict[int, Room]) -> None:
    """The rooms' last numbers, and the database's own time, by which it is asked what has changed."""
    for key in keys:
        Room.objects.filter(pk=key).update(seq=rooms[key].seq, changed_at=Now())


def _stored(message: Message, fresh: bool) -> Stored:
    return Stored(message.room_id, message.seq, message.client_id, message.person, message.body, message.at, fresh)


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
    """The rooms in which something was said in the last so many seconds or shortly before, by the database's clock."""
    rows = Room.objects.filter(changed_at__gte=Now() - CHANGED - timedelta(seconds=seconds), seq__gt=0)
    return [Changed(str(key), epoch, seq) for key, epoch, seq in rows.values_list("pk", "epoch", "seq")]

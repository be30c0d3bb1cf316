"""Events that grow, in the database.

The text so far is in the event's own row, so that whoever reads the event has it. A row of Growing says that somebody
writes it still, and is renewed: without that, or where its writer was not heard of for long, nobody does any more. The
end is a numbered change, by whoever takes that row away: the writer, or the first process that misses it.

Every transaction takes a Growing's row first, then the log's, then the event's. Of those with several events, none
waits for rows that others hold: one event's trouble is no other's.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now

from topics.models import Entry, Growing, Log
from topics.storing import log
from topics.storing.log import Stored
from topics.storing.statements import encode

logger = logging.getLogger(__name__)

GROWS: Final = "growing"
DONE: Final = "done"
CANCELLED: Final = "cancelled"
FAILED: Final = "failed"

LEASE: Final = timedelta(seconds=6)  # without a word of the writer, who says one a second,
LOOKS: Final = 3  # and this often seen without one: a database that was away has heard of nobody
MOST: Final = 1_000  # given up in one look

Data = Callable[[str], str]

STORE: Final = """
WITH said AS (SELECT * FROM json_to_recordset(%s) AS said(entry bigint, data text)),
held AS MATERIALIZED (
  SELECT entry_id, said.data
  FROM topics_growing JOIN said ON said.entry = entry_id JOIN topics_entry AS e ON e.id = entry_id
  FOR NO KEY UPDATE OF topics_growing, e SKIP LOCKED
),
heard AS (
  UPDATE topics_growing SET heard_at = statement_timestamp() FROM held WHERE topics_growing.entry_id = held.entry_id
),
stored AS (
  UPDATE topics_entry SET data = held.data FROM held WHERE topics_entry.id = held.entry_id AND held.data IS NOT NULL
)
SELECT entry_id FROM held"""


def begin(topic: str, seq: int) -> int:
    """The event that was just appended grows from here on; the key of its row. In the same transaction."""
    entry, key = Entry.objects.values_list("pk", "log_id").get(log__name=topic, seq=seq)
    Growing.objects.create(entry_id=entry, log_id=key)
    return int(entry)


def store(said: Mapping[int, str | None]) -> set[int]:
    """What the events say by now, by their rows' keys, or None for the same as before. Their writers live.

    The keys of those that it was stored for: not what nobody may write any more, or somebody else has a lock on.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(STORE, [encode([{"entry": entry, "data": data} for entry, data in said.items()])])
            return {entry for (entry,) in cursor.fetchall()}
    with transaction.atomic():
        there = {entry for entry in growing(said) if Growing.objects.filter(pk=entry).update(heard_at=Now())}
        for entry in there:
            if (data := said[entry]) is not None:
                Entry.objects.filter(pk=entry).update(data=data)
    return there


def growing(entries: Iterable[int]) -> set[int]:
    """Those of these that may be written still."""
    there = Growing.objects.filter(pk__in=entries, entry__retracted=False)  # what was removed by age has no entry
    return set(there.values_list("pk", flat=True))


def cancelled() -> set[int]:
    """All that somebody has cancelled and that have not ended yet, whoever writes them."""
    return set(Growing.objects.filter(cancelled=True).values_list("pk", flat=True))


def cancel(topic: str, seq: int) -> bool:
    """Has the event's writer stop. False where it does not grow, or has ended."""
    return Growing.objects.filter(log__name=topic, entry__seq=seq).update(cancelled=True) > 0


def forget(key: int, seq: int) -> None:
    """Nobody may write the event any more, if it grows."""
    Growing.objects.filter(log=key, entry__seq=seq).delete()


class Ended(NamedTuple):
    """An event that has ended: its topic's name, and the change."""

    topic: str
    change: Stored


def end(
    datas: Mapping[int, Data | None], status: str = FAILED, *, skip_locked: bool = False
) -> dict[int, Ended | None]:
    """Ends these events, with their last data: by row, None for what has ended before. In a transaction.

    `datas` gives the data of each with a status, as JSON, or None for what it said last. What others hold is waited
    for; or, where skip_locked, it goes on and is not in the answer.
    """
    rows = Growing.objects.select_related("entry__log").filter(pk__in=datas, entry__retracted=False)
    locks = ("self", "entry") if skip_locked else ("self",)
    entries = {row.pk: ending(row, datas, status) for row in rows.select_for_update(skip_locked=skip_locked, of=locks)}
    changes = log.change_all([*entries.values()], skip_locked=skip_locked)
    ended = {key: Ended(entries[key].log.name, change) for key, change in changes.items()}
    gone = datas.keys() - entries.keys()
    gone -= growing(gone) if gone else set()  # those are locked
    Growing.objects.filter(pk__in=[*ended, *gone]).delete()
    return {**ended, **dict.fromkeys(gone)}


def ending(row: Growing, datas: Mapping[int, Data | None], status: str) -> Entry:
    """The event with its last data, not stored yet."""
    said, how = datas[row.pk], CANCELLED if row.cancelled else status
    row.entry.data = said(how) if said else encode({**json.loads(row.entry.data), "status": how})
    return row.entry


def give_up(entry: int) -> Ended | None:
    """Ends what nobody writes any more. Where that is not possible now, it is the next time."""
    try:
        with transaction.atomic():
            return end({entry: None}, skip_locked=True).get(entry)
    except Exception as error:
        logger.warning("an event that nobody writes any more could not be ended: %s", error)
        return None


def so_far(logs: Collection[Log]) -> dict[str, dict[int, str]]:
    """By name of the log and number of the event, the texts of those that grow. No query where no log is given."""
    if not logs:
        return {}
    found: dict[str, dict[int, str]] = {log.name: {} for log in logs}
    names = {log.pk: log.name for log in logs}
    for entry in Entry.objects.filter(growing__log__in=names, retracted=False).order_by("seq"):
        found[names[entry.log_id]][entry.seq] = json.loads(entry.data)["text"]
    return found


class Unheard:
    """Finds events whose writers are not heard of any more: a process was killed, for example."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, datetime], int] = {}

    def look(self) -> list[int]:
        """Those that are to be given up by now. To be called every few seconds."""
        silent: Any = Growing.objects.filter(heard_at__lt=Now() - LEASE).values_list("pk", "heard_at")[:MOST]
        self._seen = {one: self._seen.get(one, 0) + 1 for one in silent}
        return [entry for (entry, _), looks in self._seen.items() if looks >= LOOKS]

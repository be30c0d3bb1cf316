"""Events that grow, in the database.

The text so far is in the event's own row, so that whoever reads the event has it. A row of Growing says that somebody
writes it still, and is renewed: without that, or where its writer was not heard of for long, nobody does any more. The
end is a numbered change, by whoever takes that row away: the writer, or the first process that misses it.

Every transaction takes a Growing's row first, then the log's, then the event's.
"""

import json
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

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

STORE: Final = """
WITH said AS (SELECT * FROM json_to_recordset(%s) AS said(entry bigint, data text)),
alive AS (
  UPDATE topics_growing SET heard_at = statement_timestamp() FROM said WHERE entry_id = said.entry RETURNING entry_id
)
UPDATE topics_entry SET data = said.data FROM said JOIN alive ON alive.entry_id = said.entry
WHERE topics_entry.id = said.entry AND said.data IS NOT NULL"""


def begin(topic: str, seq: int) -> int:
    """The event that was just appended grows from here on; the key of its row. In the same transaction."""
    entry, key = Entry.objects.values_list("pk", "log_id").get(log__name=topic, seq=seq)
    Growing.objects.create(entry_id=entry, log_id=key)
    return int(entry)


def store(said: Mapping[int, str | None]) -> None:
    """What the events say by now, by their rows' keys, or None for the same as before. Their writers live.

    What nobody may write any more stays as it is.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(STORE, [encode([{"entry": entry, "data": data} for entry, data in said.items()])])
        return
    with transaction.atomic():
        for entry, data in said.items():
            if Growing.objects.filter(pk=entry).update(heard_at=Now()) and data is not None:
                Entry.objects.filter(pk=entry).update(data=data)


def wanted(entries: Collection[int]) -> dict[int, bool]:
    """Which of these may be written still, each with whether somebody has cancelled it."""
    return dict(Growing.objects.filter(pk__in=entries).values_list("pk", "cancelled"))


def cancel(topic: str, seq: int) -> bool:
    """Has the event's writer stop. False where it does not grow, or has ended."""
    return Growing.objects.filter(log__name=topic, entry__seq=seq).update(cancelled=True) > 0


def forget(key: int, seq: int) -> None:
    """Nobody may write the event any more, if it grows."""
    Growing.objects.filter(log=key, entry__seq=seq).delete()


def end(entry: int, status: str = FAILED, data: Callable[[str], str] | None = None) -> tuple[str, Stored] | None:
    """Ends the event, with its last data: the topic's name and the change. None where it has ended before.

    `data` gives the data with a status, as JSON; without it the event says what it said last. To be called in a
    transaction.
    """
    growing = Growing.objects.select_for_update().filter(pk=entry).first()
    if growing is None:
        return None
    growing.delete()
    found = Entry.objects.select_related("log").filter(pk=entry, retracted=False).first()
    if found is None:  # removed by age, for example
        return None
    status = CANCELLED if growing.cancelled else status
    text = data(status) if data else encode({**json.loads(found.data), "status": status})
    return found.log.name, log.change(found.log_id, found.seq, text, log.person_of(found))


def give_up(entry: int) -> tuple[str, Stored] | None:
    """Ends what nobody writes any more. Where that is not possible now, it is the next time."""
    try:
        with transaction.atomic():
            return end(entry)
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

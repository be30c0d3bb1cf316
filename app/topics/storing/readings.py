"""How far somebody has read the logs that she reads, and what is new to her there: any number of logs by one query."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models.expressions import RawSQL

from topics.models import Log, Read

COUNTED: Final = 500  # of a log's last numbers: a log that nobody has read for a year costs no more
NEW: Final = (
    "(SELECT count(*) FROM topics_entry AS e WHERE e.log_id = topics_log.id AND e.seq > {read}"
    f" AND e.seq > topics_log.seq - {COUNTED} AND e.author <> {{reader}} AND e.about IS NULL"
    " AND NOT e.retracted{more})"
)
TO_HER: Final = " AND e.data LIKE %s"
READ: Final = {"read": "topics_read.seq", "reader": "topics_read.reader"}
UNREAD, ADDRESSED = (NEW.format(more=more, **READ) for more in ("", TO_HER))
NEVER: Final = {"read": "0", "reader": "%s"}
ALL, ALL_TO_HER = (NEW.format(more=more, **NEVER) for more in ("", TO_HER))


class ReadLog(NamedTuple):
    """A log that somebody reads: up to which number, how many of the others' events are new, and how many of those
    are addressed to her.
    """

    name: str
    seq: int
    changed_at: datetime
    read: int
    unread: int
    addressed: int


def readings(reader: str, beginning: str, like: str, limit: int, only: Collection[str] | None = None) -> list[ReadLog]:
    """Of the logs whose names begin so, those that were appended to last. `like`: the text of data for her."""
    rows: Any = Read.objects.filter(reader=reader, log__name__startswith=beginning, log__seq__gt=0)
    if only is not None:
        rows = rows.filter(log__name__in=only)
    rows = rows.annotate(unread=RawSQL(UNREAD, []), addressed=RawSQL(ADDRESSED, [like]))
    fields = ("log__name", "log__seq", "log__changed_at", "seq", "unread", "addressed")
    return [ReadLog(*row) for row in rows.order_by("-log__changed_at").values_list(*fields)[:limit]]


def unbegun(reader: str, names: Collection[str], like: str, limit: int) -> list[ReadLog]:
    """Those of these logs of which she has read nothing yet: all of others is new to her."""
    rows: Any = Log.objects.filter(name__in=names, seq__gt=0).exclude(reads__reader=reader)
    rows = rows.annotate(unread=RawSQL(ALL, [reader]), addressed=RawSQL(ALL_TO_HER, [reader, like]))
    found = rows.order_by("-changed_at").values_list("name", "seq", "changed_at", "unread", "addressed")[:limit]
    return [ReadLog(name, seq, at, 0, unread, addressed) for name, seq, at, unread, addressed in found]

"""How far somebody has read the logs that she reads, and what is new to her there: any number of logs by one query."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models.expressions import RawSQL

from topics.models import Read

COUNTED: Final = 500  # of a log's last numbers: a log that nobody has read for a year costs no more
NEW: Final = (
    "(SELECT count(*) FROM topics_entry AS e WHERE e.log_id = topics_read.log_id AND e.seq > topics_read.seq"
    f" AND e.seq > topics_log.seq - {COUNTED} AND e.author <> topics_read.reader AND e.about IS NULL"
    " AND NOT e.retracted{more})"
)
UNREAD: Final = NEW.format(more="")
ADDRESSED: Final = NEW.format(more=" AND e.data LIKE %s")


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

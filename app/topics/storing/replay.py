"""Reading the logs of topics, as they are by now: replay.

An event that was changed is shown with the result, and each of its changes, which have numbers of their own, too.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple

from django.db.models.functions import Now

from topics.models import Entry, Log
from topics.storing import replica
from topics.storing.log import Stored, stored

CHANGED: Final = timedelta(seconds=30)  # longer than a transaction that appends may last, and the second beside it


class Page(NamedTuple):
    """The entries of a log that follow a number, at most so many."""

    log: int
    after: int
    limit: int


def read_all(pages: Collection[Page]) -> dict[Page, list[Stored]]:
    """Each page, by one query, in order. A change is shown with the result that its event has by now."""
    found: dict[Page, list[Stored]] = {page: [] for page in pages}
    wanted = [page for page in found if page.limit]
    read: dict[tuple[int, int], Stored] = {}
    for entry in _entries(wanted) if wanted else ():
        key = entry.log_id, entry.seq
        if key not in read:
            read[key] = _shown(entry)
        found[wanted[entry.page]].append(read[key])
    for page in wanted:
        found[page].sort(key=attrgetter("seq"))
    return found


def _entries(pages: Sequence[Page]) -> Iterable[Any]:
    """Entries, each with the number of its page among these. Each page is planned, and limited, by itself."""
    one = "SELECT * FROM topics_entry WHERE log_id = %s AND seq > %s ORDER BY seq LIMIT %s"
    pages_of_entries = " UNION ALL ".join(
        f"SELECT {number} AS page, * FROM ({one}) AS page_{number}" for number in range(len(pages))
    )
    query = (
        "SELECT entry.*, changed.data AS result, changed.retracted AS gone"
        f" FROM ({pages_of_entries}) AS entry"
        " LEFT JOIN topics_entry AS changed ON changed.log_id = entry.log_id AND changed.seq = entry.about"
    )
    return Entry.objects.using(replica.alias()).raw(query, [value for page in pages for value in page])


def _shown(entry: Any) -> Stored:
    kept = stored(entry)
    if kept.about is None:
        return kept
    return replace(kept, data=entry.result or "null", retracted=entry.gone is not False)


def changed(seconds: float) -> list[tuple[str, str, int]]:
    """(name, epoch, seq) of the logs that were appended to in the last so many seconds or shortly before."""
    rows = Log.objects.filter(changed_at__gte=Now() - CHANGED - timedelta(seconds=seconds), seq__gt=0)
    return list(rows.values_list("name", "epoch", "seq"))

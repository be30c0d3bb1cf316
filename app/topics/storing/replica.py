"""Reading from a copy of the database (READ_DATABASE_URL) what is old: pages of history, and what a search finds.

A copy is behind, mostly by milliseconds. So it is asked only whether it has what the page already knows to be there,
and where it has not, or does not answer, the database itself is read. Replay and resuming never come here.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

from realtime import metrics
from realtime.outage import Outage

ALIAS: Final = "replica"
AWAY_SECONDS: Final = 30  # until one that did not answer is asked again: nobody waits for it at every page
TRIES: Final = 10
PAUSE_SECONDS: Final = 0.02  # between them

T = TypeVar("T")

_alias: ContextVar[str] = ContextVar("database to read from", default=DEFAULT_DB_ALIAS)
_outage = Outage("the replica (READ_DATABASE_URL)")
_asked_again_at = 0.0  # 0: it answers


def alias() -> str:
    """The database that is read from just now."""
    return _alias.get()


def as_of(name: str, epoch: str, seq: int, read: Callable[[], T]) -> T:
    """What read() returns, of a copy that has this log up to that number. All changes have numbers, too."""
    from topics.models import Log

    return _read(lambda: Log.objects.using(ALIAS).filter(name=name, epoch=epoch, seq__gte=seq).exists(), read)


def as_of_now(read: Callable[[], T]) -> T:
    """The same of a copy that has everything, for which it is given a moment."""
    return _read(_has_everything, read)


def _has_everything() -> bool:
    [now] = _row(DEFAULT_DB_ALIAS, "SELECT pg_current_wal_lsn()::text")
    for _ in range(TRIES):
        [has] = _row(ALIAS, "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", now)
        if has is not False:  # None: it follows nobody, and cannot say
            return has is True
        time.sleep(PAUSE_SECONDS)
    return False


def _row(name: str, query: str, *arguments: Any) -> tuple[object, ...]:
    with connections[name].cursor() as cursor:
        cursor.execute(query, arguments)
        row: tuple[object, ...] = cursor.fetchone()
        return row


def _read(has_it: Callable[[], bool], read: Callable[[], T]) -> T:
    global _asked_again_at
    if ALIAS not in connections.settings:
        return read()
    if (now := time.monotonic()) >= _asked_again_at:
        if _asked_again_at:
            _asked_again_at = now + AWAY_SECONDS  # by this one, for all
        token = None
        try:
            if has_it():
                token = _alias.set(ALIAS)
                found = read()
                _asked_again_at = 0.0
                _outage.answered()
                metrics.replica_reads.labels("replica").inc()
                return found
            metrics.replica_reads.labels("behind").inc()
        except (DatabaseError, InterfaceError) as error:
            _asked_again_at = time.monotonic() + AWAY_SECONDS
            _outage.failed(error)
            metrics.replica_reads.labels("away").inc()
        finally:
            if token:
                _alias.reset(token)
    return read()

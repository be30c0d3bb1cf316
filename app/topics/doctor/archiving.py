"""Whether what Postgres writes reaches its archive, where it has one (docker/archive.yml)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db import connection

from topics.doctor.findings import Finding, broken, doubtful, ok

# Files of WAL that wait, the unfinished one not counted. A name is its timeline and its number, in hexadecimal digits.
STATE: Final = """
SELECT last_archived_time, last_failed_time, (
    SELECT floor((pg_current_wal_lsn() - '0/0'::pg_lsn) / size)
        - (('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint * floor(4294967296 / size)
            + ('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint) - 1
    FROM pg_size_bytes(current_setting('wal_segment_size')) AS size
    WHERE last_archived_wal ~ '^[0-9A-F]{24}')
FROM pg_stat_archiver
WHERE NOT pg_is_in_recovery() AND current_setting('archive_mode') <> 'off'
"""
MANY: Final = 8


def archiving() -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(STATE)
        for archived, failed, waiting in cursor.fetchall():
            yield finding(archived, failed, waiting)


def finding(archived: datetime | None, failed: datetime | None, waiting: int | None) -> Finding:
    if failed and (archived is None or failed > archived):
        since = f"since {archived:%Y-%m-%d %H:%M} UTC" if archived else "from the beginning"
        return broken(
            f"Postgres archives nothing {since}: nothing later can be had again, and its disk fills.",
            "`docker compose logs postgres` says why: the archive is full, or its folder is not user 999's.",
        )
    if waiting is not None and waiting > MANY:
        return doubtful(
            f"{waiting:.0f} files of what Postgres has written wait to be archived.",
            "The archive is slow: look at its disk or network.",
        )
    if archived is None:
        return doubtful("Postgres has archived nothing yet.", "Run `make archive`, from which on there is a way back.")
    return ok(f"What Postgres writes is archived, the last of it at {archived:%Y-%m-%d %H:%M:%S} UTC.")

"""What stands between here and the database, or beside it: a PgBouncer, a standby."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from django.db import Error, OperationalError, connection, connections

from realtime.reach import unreachable
from topics.conf import settings
from topics.doctor.findings import Finding, broken, doubtful, ok
from topics.models import Installation
from topics.storing.replica import ALIAS

TRIES: Final = 10  # PgBouncer may hand out its connections in turns
BEHIND_BYTES: Final = 16 * 2**20
TELL: Final = "SELECT set_config('topics.doctor', %s, false)"
HEAR: Final = "SELECT current_setting('topics.doctor', true)"
BY_DEFAULT: Final = "SELECT name, reset_val, current_user FROM pg_settings WHERE name = ANY(%s)"
SYNCHRONOUS: Final = """
SELECT current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') NOT IN ('local'),
       (SELECT count(*) FROM pg_stat_replication),
       (SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep')
WHERE NOT pg_is_in_recovery()
"""


def asked(one: Any, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    with one.cursor() as cursor:
        cursor.execute(query, arguments)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def pooled_by_transaction() -> bool:
    """Whether one client meets what another has set: the same session serves both, a transaction at a time."""
    word = secrets.token_hex(8)
    with closing(connection.copy()) as one, closing(connection.copy()) as other:
        for _ in range(TRIES):
            asked(one, TELL, word)
            if asked(other, HEAR) == [(word,)]:
                asked(other, TELL, "")
                return True
    return False


def pooling() -> Iterator[Finding]:
    """What each connection sets for itself holds nowhere then, and has to be the role's own."""
    if connection.vendor != "postgresql" or not pooled_by_transaction():
        return
    wanted = {"synchronous_commit": "on", **settings.DATABASE_SESSION, "statement_timeout": "10s"}
    found = {name: value for name, value, _ in asked(connection, BY_DEFAULT, [*wanted])}
    [(role,)] = asked(connection, "SELECT current_user")
    mend = "ALTER ROLE {} SET {} = '{}', then RECONNECT in PgBouncer's console."
    if found["synchronous_commit"] == "off":
        yield broken(
            "PgBouncer is in transaction mode and synchronous_commit is off by default: what is acknowledged in the "
            "last moment before a crash is lost.",
            mend.format(role, "synchronous_commit", "on"),
        )
    elif found["statement_timeout"] == "0":
        yield doubtful(
            "PgBouncer is in transaction mode, where no time-out of ours holds: a question may take for ever.",
            mend.format(role, "statement_timeout", wanted["statement_timeout"]),
        )
    else:
        yield ok("PgBouncer is in transaction mode, and the role has what is needed for that.")


def standby() -> Iterator[Finding]:
    """Where the address names several servers, one is to take over from another."""
    if connection.vendor != "postgresql":
        return
    several = "," in str(connection.settings_dict["HOST"])
    for synchronous, standbys, waiting in asked(connection, SYNCHRONOUS):
        if synchronous and (waiting or not standbys):
            yield broken(
                "Postgres waits for a standby that does not confirm: nothing can be stored.",
                "Start the standby, or name another in synchronous_standby_names; with ANY 1 (a, b) one of two may go.",
            )
        elif several and not synchronous:
            yield doubtful(
                "DATABASE_URL names several servers and replication is asynchronous: what was acknowledged in the last "
                "moment may not be on the one that takes over.",
                "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (a, b)', then SELECT pg_reload_conf().",
            )
        elif synchronous:
            yield ok(f"What is acknowledged is on a standby, too ({standbys} connected).")


def replica() -> Iterator[Finding]:
    if ALIAS not in connections.settings:
        return
    copy = connections[ALIAS]
    try:
        [(follows,)] = asked(copy, "SELECT pg_is_in_recovery()")
        theirs = list(Installation.objects.using(ALIAS).values_list("name", flat=True))
    except OperationalError as error:
        yield broken(unreachable(error, "READ_DATABASE_URL"), "Mend READ_DATABASE_URL, or leave it out.")
        return
    except Error:  # it has no such table
        follows, theirs = True, []
    if theirs != [Installation.identity()]:
        yield broken(
            "READ_DATABASE_URL leads to a copy of another database: pages are never read from it.",
            "Name a standby of the one in DATABASE_URL.",
        )
    elif not follows:
        says = "READ_DATABASE_URL leads to a server that follows no other: it cannot say whether it has everything."
        yield doubtful(says, "Name a standby, or leave READ_DATABASE_URL out.")
    else:
        [(now,)] = asked(connection, "SELECT pg_current_wal_lsn()::text")
        [(behind,)] = asked(copy, "SELECT greatest(%s::pg_lsn - pg_last_wal_replay_lsn(), 0)::bigint", now)
        says = f"The replica is {behind // 1024} kB behind."
        mend = "Until it has caught up the database itself is read. Look at its load, and at pg_stat_replication."
        yield doubtful(says, mend) if behind > BEHIND_BYTES else ok(says)

"""The database: whether it is there, keeps what it has acknowledged, and has room for everybody."""

import time
from collections.abc import Iterator
from typing import Any, Final

from django.core.checks import Tags, run_checks
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from realtime import budget, health
from realtime.conf import settings
from realtime.outage import kind
from realtime.reach import unreachable
from topics.doctor.archiving import archiving
from topics.doctor.clock import clock
from topics.doctor.findings import Finding, broken, doubtful, ok
from topics.doctor.machine import as_findings
from topics.storing import faults

DISK_FULL: Final = ("53100", "58030")
# Whoever is told that something is stored must find it after a power cut.
PROMISES: Final = {
    "fsync": "what is acknowledged may not be on the disk, and a power cut may ruin the whole database",
    "full_page_writes": "a power cut in the middle of a page may ruin it",
    "synchronous_commit": "what is acknowledged in the last moment before a crash is lost",
}
SETTINGS: Final = {
    "fsync": "Set fsync = on in postgresql.conf, then SELECT pg_reload_conf().",
    "full_page_writes": "Set full_page_writes = on in postgresql.conf, then SELECT pg_reload_conf().",
    "synchronous_commit": "Take it out of DATABASE_URL and DATABASE_SESSION, or ALTER ROLE … RESET synchronous_commit.",
}
ALLOWED: Final = """
SELECT current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true)::int, 0),
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
       (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL)
"""
NEARLY: Final = 0.9
UNREACHED: Final = (
    "Mend DATABASE_URL, or start the database (`docker compose ps postgres`, `docker compose logs postgres`)."
)
BY_WHOM: Final = "SELECT application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2"
CROWDED: Final = (
    f"All connections are taken; the superuser sees by whom: {BY_WHOM}. "
    "In the stack: docker compose exec postgres psql -U postgres."
)
# As Postgres words 53300 at the door, where no program is told the number, and as PgBouncer does.
NO_MORE: Final = ("too many clients", "too many connections", "connection slots are reserved", "no more connections")
# Whose who asks is, what else he may make, and a table of this project's in which he may not read and write rows.
RIGHTS: Final = """
SELECT current_user,
       coalesce(bool_or(pg_has_role(relowner, 'USAGE')), false)
           OR has_database_privilege(current_database(), 'CREATE')
           OR coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
       min(relname::text) FILTER (WHERE NOT (
           has_table_privilege(pg_class.oid, 'SELECT') AND has_table_privilege(pg_class.oid, 'INSERT')
           AND has_table_privilege(pg_class.oid, 'UPDATE') AND has_table_privilege(pg_class.oid, 'DELETE')))
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = current_schema() AND relname = ANY(%s)
"""
TWO_ROLES: Final = "the lines of docs/operate.md (Two roles) do it elsewhere"


def rows(query: str, arguments: Any = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def database_answers() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        yield broken(unreachable(error), CROWDED if is_crowded(error) else UNREACHED)
        return
    if connection.vendor == "postgresql":
        (version,) = rows("SHOW server_version")
        yield ok(f"Postgres {version[0].partition('.')[0]} answers.")
    else:
        yield ok(f"{connection.display_name} answers.")
    yield from as_findings(run_checks(tags=[Tags.database], databases=[DEFAULT_DB_ALIAS]))


def is_crowded(error: OperationalError) -> bool:
    return any(words in str(error) for words in NO_MORE)


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if missing:
        says = f"{len(missing)} migrations are missing, the first is {missing[0]}: no server is ready without them."
        yield broken(says, "Run `make migrate` (STACK=1 for the containers), or `python manage.py migrate`.")
    else:
        yield ok("All migrations are there.")


def database_takes_writes() -> Iterator[Finding]:
    try:
        health.ask_for_room()
    except health.ReadOnly:
        yield read_only()
    except Error as error:
        if faults.state_of(error) in DISK_FULL:
            yield broken("The disk of the database is full.", "Make room on it, or give it a larger one.")
        else:
            yield broken(f"The database takes no writes: {kind(error)}.", "Its own log says why.")
    else:
        yield ok("The database takes writes.")


def read_only() -> Finding:
    [(is_standby,)] = rows("SELECT pg_is_in_recovery()")
    if is_standby:
        return broken("The database is a standby and takes no writes.", "Name the primary in DATABASE_URL.")
    return broken(
        "The database takes no writes: default_transaction_read_only is on.",
        "Providers set it where a disk is full: make room. Else ALTER DATABASE … RESET default_transaction_read_only "
        "(and ALTER ROLE …, ALTER SYSTEM …).",
    )


def rights() -> Iterator[Finding]:
    """Who gets into a server should not get at the tables themselves. Heroku's plans have one role for all."""
    if connection.vendor != "postgresql" or settings.DYNO:
        return
    [(role, may_change_tables, out_of_reach)] = rows(RIGHTS, [connection.introspection.django_table_names()])
    if out_of_reach:
        yield broken(
            f"The servers' role {role} may not read and write rows in {out_of_reach}.",
            f"`docker compose exec postgres roles.sh rights rooms` in the stack of `make up`; {TWO_ROLES}.",
        )
    elif may_change_tables:
        yield doubtful(
            f"The servers' role {role} may change and drop tables, and with it whoever gets into a server.",
            "Name a role without that right in DATABASE_URL, and the tables' owner in MIGRATE_DATABASE_URL: `make up` "
            f"does it for its own Postgres, {TWO_ROLES}.",
        )
    else:
        yield ok(f"The servers' role {role} reads and writes rows, and may not change tables.")


def stored_means_stored() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        [(level,)] = rows("PRAGMA synchronous")
        if level < 2:
            yield broken(
                "SQLite's synchronous is off: a power cut loses what was acknowledged.", "PRAGMA synchronous=FULL"
            )
        else:
            yield ok("What is acknowledged is on the disk.")
        return
    if connection.vendor != "postgresql":
        return
    off = [
        name
        for name, *_ in rows("SELECT name FROM pg_settings WHERE setting = 'off' AND name = ANY(%s)", [[*PROMISES]])
    ]
    for name in off:
        yield broken(f"Postgres' {name} is off: {PROMISES[name]}.", SETTINGS[name])
    if not off:
        yield ok("What is acknowledged is on the disk (fsync, full_page_writes, synchronous_commit).")


def vanished_clients() -> Iterator[Finding]:
    """One that is gone in the middle of a transaction holds the row of its topic's log."""
    if connection.vendor != "postgresql":
        return
    [(seconds,)] = rows("SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'")
    if not seconds:
        yield doubtful(
            "A client that vanishes in the middle of a transaction holds its topic for hours: there is no time-out.",
            "ALTER ROLE CURRENT_USER SET idle_in_transaction_session_timeout = '30s'",
        )


def database_connections() -> Iterator[Finding]:
    """What a deploy may need at most, beside what the server lets in."""
    if connection.vendor != "postgresql":
        return
    [(most, reserved, *limits, used)] = rows(ALLOWED)
    allowed = min([most - reserved, *(limit for limit in limits if limit is not None and limit >= 0)])
    need = budget.postgres_connections()
    if need > allowed:
        yield broken(
            f"A deploy may need {need} connections (old and new processes at once), and Postgres lets {allowed} in.",
            "Lower DATABASE_POOL, REPLICAS or WEB_CONCURRENCY, or set "
            f"max_connections = {need + reserved} in postgresql.conf and restart Postgres.",
        )
    elif used > NEARLY * allowed:
        yield doubtful(
            f"{used} of {allowed} connections of Postgres are taken.",
            f"{BY_WHOM} shows by whom.",
        )
    else:
        yield ok(f"{need} connections are needed at most, and Postgres lets {allowed} in.")


def clock_of_the_database() -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        return
    before = time.time()
    [(theirs,)] = rows("SELECT extract(epoch FROM clock_timestamp())::float8")
    yield clock("the database", before, theirs, time.time())


CHECKS: Final = (
    database_answers,
    migrations,
    database_takes_writes,
    rights,
    stored_means_stored,
    archiving,
    vanished_clients,
    database_connections,
    clock_of_the_database,
)

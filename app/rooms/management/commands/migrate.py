"""Django's `migrate`, one at a time: whoever comes second waits, and finds nothing left to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any, Final

from django.conf import settings
from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, OperationalError, ProgrammingError, connections
from django.db.migrations.exceptions import MigrationSchemaMissing

RETRY_SECONDS: Final = 0.2
FORBIDDEN: Final = "42501"
OWNER_ONLY: Final = (
    "Only the tables' owner may change them, and the servers' role is another one: in the stack of `make up` it is "
    "`docker compose run --rm migrate python manage.py migrate …`; elsewhere set MIGRATE_DATABASE_URL."
)
KEY: Final = 7_239_001  # of Postgres's advisory lock; any number that nothing else in the database uses


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with alone(options["database"]):
            try:
                super().handle(*args, **options)
            except (ProgrammingError, MigrationSchemaMissing) as error:
                if not is_forbidden(error):
                    raise
                raise CommandError(OWNER_ONLY) from error
        if (servers := getattr(settings, "SERVERS_DATABASE", None)) and options["database"] == DEFAULT_DB_ALIAS:
            come_in(servers)


def come_in(servers: dict[str, Any]) -> None:
    """As the servers do, who may have another password: else nobody would notice before they start again."""
    theirs = connections[DEFAULT_DB_ALIAS].copy()
    theirs.settings_dict |= {name: servers[name] for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
    try:
        theirs.ensure_connection()
    except OperationalError as error:
        error.variable = "DATABASE_URL"  # type: ignore[attr-defined]  # by which manage.py names it
        raise
    finally:
        theirs.close()


def is_forbidden(error: BaseException | None) -> bool:
    return error is not None and (getattr(error, "sqlstate", "") == FORBIDDEN or is_forbidden(error.__context__))


@contextmanager
def alone(database: str) -> Iterator[None]:
    """SQLite locks its file by itself.

    The lock belongs to a transaction of its own, which PgBouncer keeps on one connection in each of its modes. Whoever
    waits asks again and again: a statement that waits would hold up an index that is built meanwhile.
    """
    connection = connections[database].copy()
    if connection.vendor != "postgresql":
        yield
        return
    try:
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        while not has_lock(connection):
            sleep(RETRY_SECONDS)
        yield
    finally:
        connection.close()


def has_lock(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
        return bool(cursor.fetchone()[0])

"""Django's `migrate`, one at a time: whoever comes second waits, and finds nothing left to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any, Final

from django.core.management.commands import migrate
from django.db import connections

RETRY_SECONDS: Final = 0.2
KEY: Final = 7_239_001  # of Postgres's advisory lock; any number that nothing else in the database uses


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with alone(options["database"]):
            super().handle(*args, **options)


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

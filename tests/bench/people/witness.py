"""What Postgres has seen of the product's role, asked under another one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg

from servers.postgres import PASSWORD, USER, Database, Postgres

NAME = "witness"
SAMPLE_SECONDS = 0.05


class Witness:
    """`url` is the database's for whoever must not be counted."""

    def __init__(self, database: Database) -> None:
        do(database.url, f"CREATE ROLE {NAME} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        self.url = database.url.replace(f"//{USER}:", f"//{NAME}:", 1)
        self._asked = Database(self.url)
        do(self.url, "CREATE EXTENSION pg_stat_statements")

    def statements(self) -> int:
        """How many the product has sent so far."""
        return int(self._asked.rows(f"SELECT coalesce(sum(calls), 0) FROM pg_stat_statements {OF_THE_PRODUCT}")[0][0])

    def busiest(self, limit: int = 12) -> list[tuple[int, str]]:
        """(calls, text) of the statements sent most often."""
        return self._asked.rows(
            f"SELECT calls, query FROM pg_stat_statements {OF_THE_PRODUCT} ORDER BY calls DESC LIMIT {limit}"
        )  # type: ignore[return-value]

    @contextmanager
    def watching(self) -> Iterator[list[int]]:
        """How many connections the product has, from time to time."""
        seen: list[int] = []
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(seen, over))
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()

    def _watch(self, seen: list[int], over: threading.Event) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not over.wait(SAMPLE_SECONDS):
                (count,) = connection.execute(CONNECTIONS).fetchone() or (0,)
                seen.append(count)


# Checks of foreign keys run as the table's owner, whoever inserts.
OF_THE_PRODUCT = (
    "JOIN pg_database d ON d.oid = dbid JOIN pg_roles r ON r.oid = userid"
    f" WHERE d.datname = current_database() AND r.rolname = '{USER}' AND position('FOR KEY SHARE OF x' in query) = 0"
)
CONNECTIONS = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}' AND datname = current_database()"


@contextmanager
def counting_statements(postgres: Postgres) -> Iterator[None]:
    """Postgres with its extension for that loaded, which takes a restart; afterwards as before."""
    configure(postgres, "SET shared_preload_libraries = pg_stat_statements")
    try:
        yield
    finally:
        configure(postgres, "RESET shared_preload_libraries")


def configure(postgres: Postgres, setting: str) -> None:
    do(f"postgres://{USER}:{PASSWORD}@127.0.0.1:{postgres.port}/postgres", f"ALTER SYSTEM {setting}")
    postgres.restart()


def do(url: str, command: LiteralString) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(command)

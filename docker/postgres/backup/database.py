"""The database, asked by psql: for a backup as the servers' role, for a restore as the tables' owner."""

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

PSQL: Final = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]

# Partitions are counted with the table that they are parts of.
TABLES: Final = """
    SELECT coalesce(json_agg(pg_class.oid::regclass::text), '[]')
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND NOT relispartition
      AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""
# Rows without their indexes, which no dump holds.
SIZE: Final = """
    SELECT coalesce(sum(pg_table_size(pg_class.oid)), 0)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'm') AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""
# A sum does not ask in which order the logs are read, and md5 is the same in every version of Postgres.
ENDS: Final = """
    SELECT json_build_object('logs', count(*), 'events', coalesce(sum(seq), 0), 'digest', coalesce(sum(
      ('x' || left(md5(concat_ws(' ', name, epoch, seq, pruned, entries, last)), 15))::bit(60)::bigint), 0)::text)
    FROM topics_log
    LEFT JOIN (SELECT log_id, count(*) AS entries, max(seq) AS last FROM topics_entry GROUP BY log_id) AS kept
      ON log_id = topics_log.id
"""
WITH_LOGS: Final = {"topics_log", "topics_entry"}


class DatabaseError(Exception):
    """What psql, pg_dump or pg_restore said before it failed."""


def login(url: str, database: str = "") -> dict[str, str]:
    """An environment for Postgres' programs: a password on their command line could be read by others."""
    parts = urlsplit(url)
    return {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": database or parts.path.lstrip("/"),
        "PGCONNECT_TIMEOUT": "10",
    }


class Session:
    """One connection in one transaction, in which everything is seen as it was at the first question."""

    def __init__(self, env: dict[str, str]) -> None:
        pipe = subprocess.PIPE
        self._psql = subprocess.Popen(PSQL, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        # The server ends transactions that ask nothing for a while, and a dump takes longer.
        self._tell("BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL idle_in_transaction_session_timeout = 0;")

    def ask(self, sql: str) -> str:
        """The one line that it answers."""
        self._tell(f"{sql};")
        assert self._psql.stdout
        line = self._psql.stdout.readline()
        if not line:
            raise self._failure()
        return line.rstrip("\n")

    def close(self) -> None:
        self._psql.communicate()

    def _tell(self, sql: str) -> None:
        assert self._psql.stdin
        try:
            self._psql.stdin.write(f"{sql}\n")
            self._psql.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def _failure(self) -> DatabaseError:
        assert self._psql.stderr
        return DatabaseError(last_line(self._psql.stderr.read()))


def inventory(session: Session, tell: Callable[[str], None]) -> dict[str, Any]:
    """Rows of each table, and where the logs of all topics end. `tell` hears what is being counted."""
    names = json.loads(on_one_line(session, TABLES))
    tables = {}
    for name in names:
        tell(f"counting the rows of {name}")
        tables[name] = int(session.ask(f"SELECT count(*) FROM {name}"))
    tell("looking where the logs of topics end")
    ends = json.loads(on_one_line(session, ENDS)) if set(names) >= WITH_LOGS else {}
    return {"tables": tables, "ends": ends}


def size_of_rows(session: Session) -> int:
    return int(on_one_line(session, SIZE))


def on_one_line(session: Session, sql: str) -> str:
    return session.ask(" ".join(sql.split()))


def differences(was: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What differs between two inventories, as one would say it."""
    before, after = was.get("tables", {}), found["tables"]
    said = [
        f"{name} has {after.get(name, 'no')} rows instead of {before.get(name, 'no')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    if was.get("ends") != found["ends"]:
        said.append("the logs of topics end elsewhere")
    return said


def last_line(said: str) -> str:
    """psql, pg_dump and pg_restore name themselves first, and the reason last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "it says nothing")

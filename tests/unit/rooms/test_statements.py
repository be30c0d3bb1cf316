"""What Postgres is asked, without a Postgres: the tests of the log run on SQLite, those in integration/ on Postgres."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH, MAX_CACHED_STATEMENT_PARAMS

from rooms import statements
from rooms.statements import Row, look, store

ROWS = [
    {
        "room_id": 1 + number % 30,
        "seq": 1 + number // 30,
        "client_id": f"{number}",
        "user_id": None,
        "author": "alice",
        "guest": True,
        "body": "hi",
    }
    for number in range(300)
]
IDS: list[Row] = [{"room_id": row["room_id"], "client_id": row["client_id"]} for row in ROWS]


class Postgres:
    """Answers as psycopg does where several statements go together: one result after the other."""

    vendor = "postgresql"

    def __init__(self) -> None:
        self.ops = self
        self.asked: list[tuple[str, list[Any]]] = []
        self.results: list[list[Any]] = []
        self.description = "columns"

    def adapt_datetimefield_value(self, at: Any) -> Any:
        return at

    @contextmanager
    def cursor(self) -> Iterator["Postgres"]:
        yield self

    def execute(self, sql: str, values: list[Any]) -> None:
        assert sql.replace("%%", "").count("%s") == len(values)
        self.asked.append((sql, values))

    def fetchall(self) -> list[Any]:
        return self.results[0]

    def nextset(self) -> bool:
        del self.results[:1]
        return bool(self.results)


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> Postgres:
    postgres = Postgres()
    monkeypatch.setattr(statements, "connection", postgres)
    return postgres


@pytest.mark.parametrize("skip_locked", [False, True])
def test_postgres_locks_and_looks_in_one_round_trip(postgres: Postgres, skip_locked: bool) -> None:
    postgres.results = [[("200ms",)], [(1, 5, "a"), (2, 0, "b")], [(77,)]]
    assert look({2, 1}, IDS, skip_locked=skip_locked) == ({1: (5, "a"), 2: (0, "b")}, [77])
    ((sql, values),) = postgres.asked
    assert sql.index("lock_timeout") < sql.index("FOR UPDATE") < sql.index("FROM rooms_message")
    assert ("SKIP LOCKED" in sql) is skip_locked
    assert values[1] == [1, 2]  # in the order of their keys


def test_postgres_stores_and_counts_in_one_round_trip(postgres: Postgres) -> None:
    postgres.results = [[], []]
    store(ROWS, timezone.now())
    ((sql, values),) = postgres.asked
    assert sql.index("INSERT") < sql.index("UPDATE")
    assert json.loads(values[1]) == ROWS
    assert values[2:] == [list(range(1, 31))]


def test_a_statement_is_the_same_text_however_much_it_is_about(postgres: Postgres) -> None:
    """psycopg remembers where a short text with few parameters has them: a third of the writer's time was looking."""
    for rows in (ROWS[:1], ROWS):
        postgres.results = [[("200ms",)], [], []]
        look({row["room_id"] for row in rows}, IDS[: len(rows)], skip_locked=False)
        postgres.results = [[], []]
        store(rows, timezone.now())
    looked, stored, *again = postgres.asked
    assert [sql for sql, _ in again] == [looked[0], stored[0]]
    for sql, values in again:
        assert len(sql) <= MAX_CACHED_STATEMENT_LENGTH
        assert len(values) <= MAX_CACHED_STATEMENT_PARAMS

"""What an append asks of the database: one question on Postgres, however many events and topics it is for.

It is SQL because the ORM, with an object an event and a query a topic, costs ten times all the rest of an append.
A list is one parameter, in JSON, so that a statement is the same text however much it is about, and psycopg, which
remembers texts, looks for its parameters once.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from json import JSONEncoder
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from topics.models import Entry

USER: Final = Entry._meta.get_field("user")

COLUMNS: Final = {
    "log_id": "bigint",
    "client_id": "text",
    "author": "text",
    "user_id": USER.db_type(connection),  # whatever the project's users have for a key
    "name": "text",
    "guest": "boolean",
    "data": "text",
    "about": "bigint",
}
NAMES: Final = ", ".join(COLUMNS)

Row = dict[str, Any]
"""COLUMNS with their values, and `place`: its number in the list."""

Statement = tuple[str, Sequence[Any]]

encode = JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


class Answer(NamedTuple):
    """What became of a row. `held`: its log is there and was locked. `there`: the key of the entry that it is already.

    No `at` where nothing was stored: it was there, or another transaction stored the same one meanwhile.
    """

    place: int
    held: bool
    there: int | None
    seq: int | None
    at: datetime | None


@lru_cache(maxsize=1_024)
def user_key(key: Any) -> Any:
    """A user's primary key as the column takes it, once for all that somebody appends."""
    return USER.get_db_prep_save(key, connection)


# The lock time-out of the transaction is the caller's own: it is put back.
WAIT: Final = (
    "SELECT set_config('topics.lock_timeout', current_setting('lock_timeout'), true),"
    " set_config('lock_timeout', %s, true)"
)
WAIT_NO_MORE: Final = "SELECT set_config('lock_timeout', current_setting('topics.lock_timeout'), true)"

# `held` has the numbers as of when the locks were got, also where it waited for them. `looked` is as of the statement's
# beginning; what was stored in between is met by the constraint. A subquery a row, and no join: Postgres believes that
# a list in JSON has a hundred rows, and would rather read a whole table than look up a hundred.
SAID: Final = f"json_to_recordset(%s) AS said(place integer, {', '.join(f'{n} {kind}' for n, kind in COLUMNS.items())})"
THERE: Final = (
    "SELECT id FROM topics_entry AS e"
    " WHERE e.log_id = said.log_id AND e.author = said.author AND e.client_id = said.client_id"
)
# As it is for a second: Postgres has no index to write then, and they are half of what this update costs.
CHANGED_AT: Final = (
    "CASE WHEN changed_at BETWEEN statement_timestamp() - interval '1 second' AND statement_timestamp()"
    " THEN changed_at ELSE statement_timestamp() END"
)
APPEND: Final = f"""
WITH held AS MATERIALIZED (SELECT id, seq FROM topics_log WHERE id = ANY(%s) ORDER BY id {{lock}}),
looked AS MATERIALIZED (SELECT *, ({THERE}) AS there FROM {SAID}),
fresh AS (
  SELECT looked.*, held.seq + row_number() OVER (PARTITION BY log_id ORDER BY place) AS seq
  FROM looked JOIN held ON held.id = log_id WHERE there IS NULL
),
stored AS (
  INSERT INTO topics_entry (seq, retracted, at, {NAMES})
  SELECT seq, false, (SELECT date_trunc('milliseconds', clock_timestamp())), {NAMES} FROM fresh {{conflict}}
  RETURNING log_id, seq, at
),
numbered AS (
  UPDATE topics_log SET seq = last.seq, changed_at = {CHANGED_AT}
  FROM (SELECT log_id, max(seq) AS seq FROM stored GROUP BY log_id) AS last WHERE topics_log.id = last.log_id
)
SELECT looked.place, looked.log_id = ANY(SELECT id FROM held), looked.there, fresh.seq,
  (SELECT max(at)::text FROM stored)
FROM looked LEFT JOIN fresh ON fresh.place = looked.place ORDER BY looked.place"""


def append(rows: Sequence[Row], *, wait_ms: int, skip_locked: bool = False) -> list[Answer]:
    """Numbers and stores what is not there yet, in order, and holds the logs until COMMIT.

    No two rows have the same log, author and id. Logs are locked in the order of their keys, so that two calls never
    wait for each other. One that another transaction holds is left out where skip_locked; else it raises
    OperationalError after wait_ms. Of one row that meets its like nothing is stored; several raise IntegrityError.
    """
    keys = sorted({row["log_id"] for row in rows})
    if connection.vendor != "postgresql":
        return _append_in_steps(rows, keys)
    lock = "FOR UPDATE SKIP LOCKED" if skip_locked else "FOR UPDATE"
    conflict = "ON CONFLICT DO NOTHING" if len(rows) == 1 else ""
    _, found, _ = _together(
        (WAIT, [f"{wait_ms}ms"]),
        (_worded(lock, conflict), [keys, encode(rows)]),
        (WAIT_NO_MORE, ()),
    )
    return [Answer(place, held, there, seq, at and moment(at)) for place, held, there, seq, at in found]


@lru_cache(maxsize=16)
def moment(at: str) -> datetime:
    """What is stored together has one time, which is taken apart once."""
    return datetime.fromisoformat(at)


@lru_cache
def _worded(lock: str, conflict: str) -> str:
    return APPEND.format(lock=lock, conflict=conflict)


def _together(*statements: Statement) -> list[list[Any]]:
    """Each statement's rows, in one round trip; outside of a transaction they are one."""
    sqls, values = zip(*statements, strict=True)
    with connection.cursor() as cursor:
        cursor.execute("; ".join(sqls), [value for some in values for value in some])
        answers = [_rows(cursor)]
        while cursor.nextset():
            answers.append(_rows(cursor))
        return answers


def _rows(cursor: Any) -> list[Any]:
    return cursor.fetchall() if cursor.description else []


# --- SQLite: whoever may write has locked everything ---------------------------------------------------

FIELDS: Final = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in ("place", "seq", *COLUMNS))
SAID_IN_SQLITE: Final = f"(SELECT {FIELDS} FROM json_each(%s)) AS said"


def _append_in_steps(rows: Sequence[Row], keys: list[int]) -> list[Answer]:
    at = timezone.now()
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, seq FROM topics_log WHERE id IN (SELECT value FROM json_each(%s))", [encode(keys)])
        seqs = dict(cursor.fetchall())
        cursor.execute(f"SELECT place, ({THERE}) FROM {SAID_IN_SQLITE} ORDER BY place", [encode(rows)])
        answers, fresh = [], []
        for row, (place, there) in zip(rows, cursor.fetchall(), strict=True):
            held, seq = row["log_id"] in seqs, None
            if held and there is None:
                seq = seqs[row["log_id"]] = seqs[row["log_id"]] + 1
                fresh.append({**row, "seq": seq})
            answers.append(Answer(place, held, there, seq, at if seq else None))
        if fresh:
            _store_in_sqlite(cursor, fresh, at)
    return answers


def _store_in_sqlite(cursor: Any, rows: list[Row], at: datetime) -> None:
    cursor.execute(
        f"INSERT INTO topics_entry (seq, retracted, at, {NAMES}) SELECT seq, false, %s, {NAMES} FROM {SAID_IN_SQLITE}",
        [connection.ops.adapt_datetimefield_value(at), encode(rows)],
    )
    last = "SELECT max(seq) FROM topics_entry WHERE log_id = topics_log.id"
    changed_at = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"
    cursor.execute(
        f"UPDATE topics_log SET seq = ({last}), changed_at = {changed_at}"
        " WHERE id IN (SELECT value FROM json_each(%s))",
        [encode(sorted({row["log_id"] for row in rows}))],
    )

"""What an append asks of the database: two questions, however many messages and rooms it is for.

They are SQL because the ORM, with an object a message and a query a room, costs ten times all the rest of an
append. What the databases word differently is in their `Dialect`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from json import JSONEncoder
from typing import Any, Final, NamedTuple

from django.db import connection

from rooms.models import Message

LOCK_MS: Final = 200  # for a room's row; a room that is locked longer is set aside, the others go on

USER: Final = Message._meta.get_field("user")

COLUMNS: Final = {
    "room_id": "bigint",
    "seq": "bigint",
    "client_id": "text",
    "person_key": "text",
    "user_id": USER.db_type(connection),  # whatever the project's users have for a key
    "author": "text",
    "guest": "boolean",
    "body": "text",
}
NAMES: Final = ", ".join(COLUMNS)

Row = dict[str, Any]
"""Some of COLUMNS with their values."""


class Log(NamedTuple):
    """A room's log: its last number, and its epoch."""

    seq: int
    epoch: str


Statement = tuple[str, Sequence[Any]]

encode = JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


@lru_cache(maxsize=1_024)
def user_key(key: Any) -> Any:
    """A user's primary key as the column takes it, once for all that somebody says."""
    return USER.get_db_prep_save(key, connection)


class Dialect(NamedTuple):
    """`said` is a table made of one parameter, a list of rows in JSON: an array a column costs three times as much.

    `among` compares with a list that is one parameter, made by `listed`. So a statement is the same text however
    much it is about, and psycopg, which remembers texts, looks for its parameters once.
    """

    said: str
    among: str
    listed: Callable[[list[int]], Any]
    changed_at: str
    lock: str = ""
    skip_locked: str = ""
    before: tuple[Statement, ...] = ()


POSTGRES: Final = Dialect(
    said=f"json_to_recordset(%s) AS said({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})",
    among="= ANY(%s)",
    listed=list,
    # As it is for a second: Postgres has no index to write then, and they are half of what this update costs.
    changed_at="CASE WHEN changed_at BETWEEN statement_timestamp() - interval '1 second' AND statement_timestamp()"
    " THEN changed_at ELSE statement_timestamp() END",
    lock="FOR UPDATE",
    skip_locked="FOR UPDATE SKIP LOCKED",
    before=(("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_MS}ms"]),),
)
FIELDS: Final = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in COLUMNS)
SQLITE: Final = Dialect(  # where whoever may write has locked everything
    said=f"(SELECT {FIELDS} FROM json_each(%s)) AS said",
    among="IN (SELECT value FROM json_each(%s))",
    listed=encode,
    changed_at="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
)

# A subquery a row, and no join: Postgres believes that a list in JSON has a hundred rows, and would rather read a
# whole table of twenty thousand messages than look up a hundred, for every message that is said. It finds somebody's
# own message, else one of nobody in particular: of a guest without a cookie, or stored by an older version.
THERE: Final = (
    "SELECT id FROM rooms_message WHERE room_id = said.room_id AND client_id = said.client_id"
    " AND person_key IN (said.person_key, '') ORDER BY person_key DESC LIMIT 1"
)


def look(rooms: Iterable[int], ids: list[Row], *, skip_locked: bool) -> tuple[dict[int, Log], list[int]]:
    """The rooms' logs, locked until COMMIT, and the keys of the messages that have one of the ids.

    `ids` are rows of room_id, client_id and person_key. Rooms are locked in the order of their keys, so that two
    transactions never wait for each other. One that another transaction holds is left out where
    skip_locked; else it raises OperationalError after LOCK_MS.
    """
    words, keys = dialect(), sorted(rooms)
    lock = words.skip_locked if skip_locked else words.lock
    *_, logs, there = _answers(
        *words.before,
        (f"SELECT id, seq, epoch FROM rooms_room WHERE id {words.among} ORDER BY id {lock}", [words.listed(keys)]),
        (f"SELECT key FROM (SELECT ({THERE}) AS key FROM {words.said}) AS found WHERE key IS NOT NULL", [encode(ids)]),
    )
    return {room: Log(seq, epoch) for room, seq, epoch in logs}, [key for (key,) in there]


def store(rows: list[Row], at: datetime) -> None:
    """Inserts messages that are numbered, into rooms that are locked.

    The rooms get their last number, and the database's own time to a second, by which it is asked what has changed.
    """
    words, keys = dialect(), sorted({row["room_id"] for row in rows})
    last = "SELECT max(seq) FROM rooms_message WHERE room_id = rooms_room.id"
    _answers(
        (
            f"INSERT INTO rooms_message ({NAMES}, at) SELECT {NAMES}, %s FROM {words.said}",
            [connection.ops.adapt_datetimefield_value(at), encode(rows)],
        ),
        (
            f"UPDATE rooms_room SET seq = ({last}), changed_at = {words.changed_at} WHERE id {words.among}",
            [words.listed(keys)],
        ),
    )


def dialect() -> Dialect:
    return POSTGRES if connection.vendor == "postgresql" else SQLITE


def _answers(*statements: Statement) -> list[list[Any]]:
    """Each statement's rows. Postgres takes them all together: every round trip waits for the other threads, too."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return [cursor.execute(sql, values).fetchall() for sql, values in statements]
        sqls, values = zip(*statements, strict=True)
        cursor.execute("; ".join(sqls), [value for some in values for value in some])
        answers = [_rows(cursor)]
        while cursor.nextset():
            answers.append(_rows(cursor))
        return answers


def _rows(cursor: Any) -> list[Any]:
    return cursor.fetchall() if cursor.description else []

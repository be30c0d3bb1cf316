"""Carries what was said in rooms over into the logs of their topics, on Postgres while the version before serves.

A room's log is called "room/" and the room's name. It has the room's epoch and key, and its entries the messages'
numbers. `copy` takes a bounded number of messages in each transaction and locks no table; the log's own `seq` says how
far it has come, so whoever was interrupted begins again where that was. What is said meanwhile is copied at last by
`before.switch`, which lets nobody write for that moment.
"""

import json
import logging
from itertools import islice
from time import monotonic
from typing import Any, Final

ROOMS_AT_ONCE: Final = 500
MESSAGES_AT_ONCE: Final = 5_000
PROGRESS_SECONDS: Final = 5
FIRST_DERIVED_KEY: Final = 2**40  # of rooms that were made by their name: no sequence gets that far
SPARE: Final = 1_000  # keys that others may take from the sequence while it is put forward

logger = logging.getLogger(__name__)

# A message of a user's that was stored before messages had a `person_key` gets it, unless the same user has used its id
# again since. Nobody else's can be found out: its author stays empty.
AUTHOR: Final = """
CASE WHEN {row}.person_key = '' AND {row}.user_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM rooms_message AS other WHERE other.room_id = {row}.room_id AND other.client_id = {row}.client_id
    AND other.person_key = 'user:' || {row}.user_id
) THEN 'user:' || {row}.user_id ELSE {row}.person_key END"""

DATA: Final = """'{{"body":' || to_json({row}.body) || '}}'"""  # as Python's encoder writes it, to the byte

LOG_OF_ROOM: Final = "l.name = 'room/' || r.name AND l.epoch = r.epoch"

# A log has its room's key, by which the version before knows it, if no other topic's log has it already.
MAKE_LOGS: Final = """
INSERT INTO topics_log (id, name, epoch, seq, pruned, created_at, changed_at)
SELECT CASE WHEN EXISTS (SELECT FROM topics_log AS l WHERE l.id = r.id)
    THEN nextval(pg_get_serial_sequence('topics_log', 'id')) ELSE r.id END,
    'room/' || r.name, r.epoch, 0, 0, r.created_at, r.changed_at
FROM rooms_room AS r WHERE r.id > %(after)s AND r.id <= %(last)s
    AND NOT EXISTS (SELECT FROM topics_log AS l WHERE l.name = 'room/' || r.name)"""

# OFFSET 0 has each room's messages looked up by the index: Postgres would rather read the whole table, for every batch.
COPY: Final = f"""
WITH behind AS (
    SELECT r.id, r.changed_at, r.seq AS last, l.id AS log, l.seq AS copied,
        sum(r.seq - l.seq) OVER (ORDER BY r.id)::bigint - (r.seq - l.seq) AS before
    FROM rooms_room AS r JOIN topics_log AS l ON {LOG_OF_ROOM}
    WHERE r.id > %(after)s AND r.id <= %(last)s AND r.seq > l.seq
), batch AS (
    SELECT id, changed_at, log, copied, least(last, copied + %(most)s - before) AS upto
    FROM behind WHERE before < %(most)s
), stored AS (
    INSERT INTO topics_entry (log_id, seq, client_id, author, user_id, name, guest, data, retracted, at)
    SELECT batch.log, m.seq, m.client_id, {AUTHOR.format(row="m")}, m.user_id, m.author, m.guest,
        {DATA.format(row="m")}, false, m.at
    FROM batch CROSS JOIN LATERAL (
        SELECT * FROM rooms_message WHERE room_id = batch.id AND seq > copied AND seq <= upto OFFSET 0
    ) AS m
    RETURNING 1
), numbered AS (
    UPDATE topics_log SET seq = batch.upto, changed_at = batch.changed_at FROM batch WHERE topics_log.id = batch.log
)
SELECT count(*), (SELECT count(*) FROM batch) FROM stored"""


def copy(connection: Any) -> None:
    """Every room that there is, as far as it has come."""
    with connection.cursor() as cursor:
        free_keys(cursor)
    progress = Progress()
    after = -1
    while (last := _last_of_next(connection, after)) is not None:
        chunk = {"after": after, "last": last, "most": MESSAGES_AT_ONCE}
        make_logs(connection, chunk)
        while copy_some(connection, chunk, progress):
            pass
        after = last
    progress.end()


def copy_rest(connection: Any) -> None:
    """What `copy` left. To be called in a transaction that lets nobody else write."""
    everything = {"after": -1, "last": 2**63 - 1, "most": 2**62}
    with connection.cursor() as cursor:
        free_keys(cursor)
        forget_strangers(cursor)
        cursor.execute(MAKE_LOGS, everything)
        cursor.execute(COPY, everything)
        cursor.execute(
            "UPDATE topics_log AS l SET changed_at = r.changed_at FROM rooms_room AS r"
            f" WHERE {LOG_OF_ROOM} AND l.changed_at <> r.changed_at"
        )


def free_keys(cursor: Any) -> None:
    """The database gives no log a key that a room has."""
    cursor.execute(
        "SELECT setval(name, most + %s) FROM pg_get_serial_sequence('topics_log', 'id') AS name,"
        " (SELECT max(id) AS most FROM rooms_room WHERE id < %s) AS rooms"
        " WHERE most > coalesce(pg_sequence_last_value(name::regclass), 0)",
        [SPARE, FIRST_DERIVED_KEY],
    )


def forget_strangers(cursor: Any) -> None:
    """Logs of rooms that were deleted since they were copied, or have another epoch."""
    cursor.execute(
        "SELECT l.id FROM topics_log AS l WHERE l.name LIKE 'room/%'"
        f" AND NOT EXISTS (SELECT FROM rooms_room AS r WHERE {LOG_OF_ROOM})"
    )
    keys = [key for (key,) in cursor.fetchall()]
    for table, column in (("topics_entry", "log_id"), ("topics_read", "log_id"), ("topics_log", "id")):
        cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [keys])


def make_logs(connection: Any, chunk: dict[str, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MAKE_LOGS, chunk)


def copy_some(connection: Any, chunk: dict[str, int], progress: "Progress") -> bool:
    """Whether there was something to copy."""
    with connection.cursor() as cursor:
        cursor.execute(COPY, chunk)
        messages, rooms = cursor.fetchone()
    progress.add(messages)
    return bool(rooms)


def _last_of_next(connection: Any, after: int) -> int | None:
    """The key of the last room of the next few that follow that key."""
    some = f"SELECT id FROM rooms_room WHERE id > %s ORDER BY id LIMIT {ROOMS_AT_ONCE}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(id) FROM ({some}) AS next_ones", [after])
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


class Progress:
    """Said now and then, so that a long copy does not look like one that hangs."""

    def __init__(self) -> None:
        self.messages, self.said_at = 0, monotonic()

    def add(self, messages: int) -> None:
        self.messages += messages
        if monotonic() - self.said_at >= PROGRESS_SECONDS:
            self.said_at = monotonic()
            logger.info("%d messages are copied into their topics' logs so far", self.messages)

    def end(self) -> None:
        if self.messages:
            logger.info("%d messages are copied into their topics' logs", self.messages)


# --- SQLite, which one process uses at a time ----------------------------------------------------------


def copy_by_models(apps: Any, using: str) -> None:
    """Every room, at once. `apps` has the models as they were."""
    entries = apps.get_model("topics", "Entry").objects.using(using)
    for room in apps.get_model("rooms", "Room").objects.using(using).order_by("pk").iterator():
        log = _log(apps.get_model("topics", "Log"), room)
        log.save(using=using)
        said = room.messages.order_by("seq").iterator()
        while some := [_entry(entries.model, log, message) for message in islice(said, MESSAGES_AT_ONCE)]:
            entries.bulk_create(some)


def _log(model: Any, room: Any) -> Any:
    return model(
        name=f"room/{room.name}",
        epoch=room.epoch,
        seq=room.seq,
        created_at=room.created_at,
        changed_at=room.changed_at,
    )


def _entry(model: Any, log: Any, message: Any) -> Any:
    return model(
        log_id=log.pk,
        seq=message.seq,
        client_id=message.client_id,
        author=_author(message),
        user_id=message.user_id,
        name=message.author,
        guest=message.guest,
        data=json.dumps({"body": message.body}, ensure_ascii=False, separators=(",", ":")),
        at=message.at,
    )


def _author(message: Any) -> str:
    """The same as AUTHOR."""
    if message.person_key or message.user_id is None:
        return str(message.person_key)
    key = f"user:{message.user_id}"
    same = type(message).objects.using(message._state.db).filter(room_id=message.room_id, client_id=message.client_id)
    return "" if same.filter(person_key=key).exists() else key

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

from django.db import transaction

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
FROM rooms_room AS r WHERE r.id = ANY(%(rooms)s)
    AND NOT EXISTS (SELECT FROM topics_log AS l WHERE l.name = 'room/' || r.name)"""

# Postgres would rather read whole tables for every batch. It would also plan once, for a table of logs that is still
# small, how the log of an entry is looked for, and read that whole table for each entry.
BY_INDEX: Final = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
COPY: Final = f"""
WITH behind AS (
    SELECT r.id, r.changed_at, r.seq AS last, l.id AS log, l.seq AS copied,
        sum(r.seq - l.seq) OVER (ORDER BY r.id)::bigint - (r.seq - l.seq) AS before
    FROM rooms_room AS r JOIN topics_log AS l ON {LOG_OF_ROOM}
    WHERE r.id = ANY(%(rooms)s) AND (r.seq > l.seq OR r.changed_at <> l.changed_at)
), batch AS (
    SELECT id, changed_at, log, copied, least(last, copied + %(most)s - before) AS upto
    FROM behind WHERE before < %(most)s
), stored AS (
    INSERT INTO topics_entry (log_id, seq, client_id, author, user_id, name, guest, data, retracted, at)
    SELECT batch.log, m.seq, m.client_id, {AUTHOR.format(row="m")}, m.user_id, m.author, m.guest,
        {DATA.format(row="m")}, false, m.at
    FROM batch JOIN rooms_message AS m ON m.room_id = batch.id AND m.seq > batch.copied AND m.seq <= batch.upto
    RETURNING 1
), numbered AS (
    UPDATE topics_log SET seq = batch.upto, changed_at = batch.changed_at FROM batch WHERE topics_log.id = batch.log
)
SELECT count(*), (SELECT count(*) FROM batch) FROM stored"""

# Rooms that are not where their logs are, and logs of rooms that were deleted, or have got another epoch.
DIFFERENT: Final = f"""
SELECT r.id, CASE WHEN r.id IS NULL THEN l.id END
FROM rooms_room AS r FULL JOIN (SELECT * FROM topics_log WHERE name LIKE 'room/%') AS l ON {LOG_OF_ROOM}
WHERE r.id IS NULL OR l.id IS NULL OR r.seq <> l.seq OR r.changed_at <> l.changed_at"""


def copy(connection: Any) -> None:
    """Every room that there is, as far as it has come."""
    progress = Progress()
    with connection.cursor() as cursor:
        free_keys(cursor)
        rooms = next_rooms(cursor, after=-1)
        while rooms:
            cursor.execute(MAKE_LOGS, {"rooms": rooms})
            while (messages := copy_some(connection, rooms, MESSAGES_AT_ONCE)) is not None:
                progress.add(messages)
            rooms = next_rooms(cursor, after=rooms[-1])
    logger.info("%d messages are copied to their topics' logs", progress.messages)


def next_rooms(cursor: Any, after: int) -> list[int]:
    cursor.execute("SELECT id FROM rooms_room WHERE id > %s ORDER BY id LIMIT %s", [after, ROOMS_AT_ONCE])
    return [key for (key,) in cursor.fetchall()]


def copy_some(connection: Any, rooms: list[int], most: int) -> int | None:
    """How many messages were copied. None when the logs are where the rooms are."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        cursor.execute(COPY, {"rooms": rooms, "most": most})
        messages, behind = cursor.fetchone()
    return messages if behind else None


def copy_rest(connection: Any) -> None:
    """What `copy` left. To be called in a transaction that lets nobody else write: each room is looked at once."""
    with connection.cursor() as cursor:
        free_keys(cursor)
        cursor.execute(DIFFERENT)
        found = cursor.fetchall()
        rooms, strangers = ([row[place] for row in found if row[place] is not None] for place in (0, 1))
        for table, column in (("topics_entry", "log_id"), ("topics_read", "log_id"), ("topics_log", "id")):
            cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [strangers])
        cursor.execute(MAKE_LOGS, {"rooms": rooms})
    copy_some(connection, rooms, most=2**62)


def free_keys(cursor: Any) -> None:
    """The database gives no log a key that a room has."""
    cursor.execute(
        "SELECT setval(name, most + %s) FROM pg_get_serial_sequence('topics_log', 'id') AS name,"
        " (SELECT max(id) AS most FROM rooms_room WHERE id < %s) AS rooms"
        " WHERE most > coalesce(pg_sequence_last_value(name::regclass), 0)",
        [SPARE, FIRST_DERIVED_KEY],
    )


class Progress:
    """Said now and then, so that a long copy does not look like one that hangs."""

    def __init__(self) -> None:
        self.messages, self.said_at = 0, monotonic()

    def add(self, messages: int) -> None:
        self.messages += messages
        if monotonic() - self.said_at >= PROGRESS_SECONDS:
            self.said_at = monotonic()
            logger.info("%d messages are copied so far", self.messages)


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

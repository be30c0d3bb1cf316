"""What the version before finds on Postgres while it still serves: its tables, as views of the topics' own.

So there is one log, one lock and one numbering, whichever version writes, and nothing is stored twice. `rooms_room` and
`rooms_message` are read, locked and updated as the tables below them; triggers say what an insertion into them is. What
a room has beside its log is in `rooms_opened`, the table of this version. All of it goes with the first `migrate` that
runs when the version before has said nothing for an hour.
"""

import logging
from time import monotonic, sleep
from typing import Any, Final

from django.db import OperationalError, connections, transaction

from rooms import carrying

LOCK_MS: Final = 100  # for the tables; everybody else waits as long, and the version before gives up after 200
PAUSE_SECONDS: Final = 1
PATIENCE_SECONDS: Final = 1_800  # for a backup that reads them
LOCK_TROUBLE: Final = ("55P03", "40P01")  # lock_timeout, deadlock
UNUSED: Final = "1 hour"

NAME_INDEX: Final = "rooms_before_name"

logger = logging.getLogger(__name__)

SWITCH: Final = f"""
DROP TABLE rooms_message;
ALTER TABLE rooms_room RENAME TO rooms_opened;
ALTER TABLE rooms_opened DROP COLUMN epoch, DROP COLUMN seq, DROP COLUMN changed_at;
ALTER TABLE rooms_lineage ADD COLUMN used_at timestamptz NOT NULL DEFAULT statement_timestamp();
INSERT INTO rooms_lineage (id, salt) VALUES (1, left(md5(random()::text), 16)) ON CONFLICT DO NOTHING;

CREATE VIEW rooms_room AS
SELECT id, substr(name, 6) AS name, epoch, seq, created_at, changed_at FROM topics_log WHERE name LIKE 'room/%';

CREATE VIEW rooms_message AS
SELECT id, log_id AS room_id, seq, client_id, author::text AS person_key, user_id, name AS author, guest,
    coalesce(data::json ->> 'body', '') AS body, at
FROM topics_entry;
ALTER VIEW rooms_message ALTER COLUMN person_key SET DEFAULT '';

CREATE FUNCTION rooms_before_make() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own bigint := NEW.id;
BEGIN
    IF NEW.id IS NULL THEN
        NEW.id := nextval(pg_get_serial_sequence('topics_log', 'id'));
        own := nextval(pg_get_serial_sequence('rooms_opened', 'id'));
    END IF;
    -- In this version's order, so that two who make the same room never wait for each other.
    INSERT INTO rooms_opened (id, name, created_at) VALUES (own, NEW.name, NEW.created_at) ON CONFLICT DO NOTHING;
    INSERT INTO topics_log (id, name, epoch, seq, pruned, created_at, changed_at)
    VALUES (NEW.id, 'room/' || NEW.name, NEW.epoch, NEW.seq, 0, NEW.created_at, NEW.changed_at)
    ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$;

CREATE FUNCTION rooms_before_say() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO topics_entry (log_id, seq, client_id, author, user_id, name, guest, data, retracted, at)
    VALUES (NEW.room_id, NEW.seq, NEW.client_id, {carrying.AUTHOR.format(row="NEW")}, NEW.user_id, NEW.author,
        NEW.guest, {carrying.DATA.format(row="NEW")}, false, NEW.at)
    RETURNING id INTO NEW.id;
    UPDATE rooms_lineage SET used_at = statement_timestamp() WHERE id IN (
        SELECT id FROM rooms_lineage WHERE used_at < statement_timestamp() - interval '1 minute' FOR UPDATE SKIP LOCKED
    );
    RETURN NEW;
END $$;

CREATE FUNCTION rooms_before_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM topics_entry WHERE log_id = OLD.id;
    DELETE FROM topics_read WHERE log_id = OLD.id;
    DELETE FROM topics_log WHERE id = OLD.id;
    DELETE FROM rooms_opened WHERE name = OLD.name;
    RETURN OLD;
END $$;

-- Whichever version deletes a log, both derive other epochs from now on for those that are made again.
CREATE FUNCTION rooms_before_renew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rooms_lineage SET salt = left(md5(random()::text), 16);
    UPDATE topics_installation SET lineage = left(md5(random()::text), 16);
    RETURN NULL;
END $$;

CREATE TRIGGER make INSTEAD OF INSERT ON rooms_room FOR EACH ROW EXECUTE FUNCTION rooms_before_make();
CREATE TRIGGER remove INSTEAD OF DELETE ON rooms_room FOR EACH ROW EXECUTE FUNCTION rooms_before_remove();
CREATE TRIGGER say INSTEAD OF INSERT ON rooms_message FOR EACH ROW EXECUTE FUNCTION rooms_before_say();
CREATE TRIGGER rooms_before_renew AFTER DELETE ON topics_log FOR EACH ROW
    WHEN (OLD.seq > 0 AND OLD.name LIKE 'room/%') EXECUTE FUNCTION rooms_before_renew();
"""

LEAVE: Final = """
DROP TRIGGER rooms_before_renew ON topics_log;
DROP VIEW rooms_room, rooms_message;
DROP FUNCTION rooms_before_make(), rooms_before_say(), rooms_before_remove(), rooms_before_renew();
DROP TABLE rooms_lineage;
"""

# Somebody has opened a room or looked for one, or a server has started.
SERVES: Final = " UNION ALL ".join(
    f"(SELECT 1 FROM {table} LIMIT 1)" for table in ("rooms_room", "rooms_lineage", "topics_installation")
)


def serves(connection: Any) -> bool:
    """Whether a version before may be at work on this database."""
    with connection.cursor() as cursor:
        cursor.execute(SERVES)
        return cursor.fetchone() is not None


def is_seen(connection: Any) -> bool:
    """Whether the tables of the version before are views."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind = 'v' FROM pg_class WHERE oid = to_regclass('rooms_room')")
        return bool(cursor.fetchone() == (True,))


def carry_over(connection: Any) -> None:
    """All rooms, while the version before serves, and goes on doing so. Whoever was interrupted may do it again."""
    if is_seen(connection):
        return
    index_names(connection)
    carrying.copy(connection)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE topics_log, topics_entry")  # else statements are planned for tables that are empty
    give_up_at = monotonic() + PATIENCE_SECONDS
    while not switch(connection, last=monotonic() > give_up_at):
        sleep(PAUSE_SECONDS)
        carrying.copy(connection)


def index_names(connection: Any) -> None:
    """By which the view finds rooms by name. It is built while events are appended; half a one is removed first."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME_INDEX}")
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {NAME_INDEX} ON topics_log (substr(name, 6)) WHERE name LIKE 'room/%'"
        )


def switch(connection: Any, *, last: bool) -> bool:
    """Copies the rest and makes views of the tables, in one transaction: writers wait for it, readers for its end.

    False, and nothing done, where somebody holds the tables for longer than others should wait.
    """
    try:
        with transaction.atomic(connection.alias), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MS}ms'")
            cursor.execute("LOCK TABLE rooms_room, rooms_message IN EXCLUSIVE MODE")
            carrying.copy_rest(connection)
            cursor.execute(SWITCH)
    except OperationalError as error:
        if last or getattr(error.__cause__, "sqlstate", None) not in LOCK_TROUBLE:
            raise
        return False
    return True


def leave(using: str, **about: Any) -> None:
    """After each `migrate`: takes the views away, unless the version before has said something within the last hour."""
    connection = connections[using]
    if connection.vendor != "postgresql" or not is_seen(connection):
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(used_at) < statement_timestamp() - interval '{UNUSED}' FROM rooms_lineage")
        if cursor.fetchone() != (True,):
            return
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME_INDEX}")
        cursor.execute(LEAVE)
    logger.info("the version before is gone, and with it what it found of its tables")

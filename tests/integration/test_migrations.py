"""The version before goes on storing messages while, and after, the database is migrated for this one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers.app import Image, environment
from servers.postgres import Postgres

BEFORE = "0002"  # whose version knows of ids in a room only
STORED_BY_THE_VERSION_BEFORE = """
from django.db import connection
from django.utils import timezone
with connection.cursor() as cursor:
    at = connection.ops.adapt_datetimefield_value(timezone.now())
    if {number} == 1:
        cursor.execute("INSERT INTO rooms_room (id, name, epoch, seq, created_at, changed_at)"
                       " VALUES (1, 'lobby', 'an-epoch', 0, %s, %s)", [at, at])
    cursor.execute("SELECT id FROM rooms_message WHERE room_id = 1 AND client_id = 'id-{number}'")
    assert not cursor.fetchall()
    cursor.execute("INSERT INTO rooms_message (room_id, seq, client_id, author, guest, body, at)"
                   " VALUES (1, {number}, 'id-{number}', 'alice', %s, 'hi', %s)", [True, at])
    cursor.execute("UPDATE rooms_room SET seq = {number} WHERE id = 1")
"""
SENT_AGAIN = """
from rooms.log import Entry, append_all
from rooms.models import Room
from topics.people import Person
room = Room.objects.named("lobby")
alice, mallory = Person("guest:a", "alice", True), Person("guest:m", "mallory", True)
said = append_all([Entry(room.pk, "id-1", alice, "hi"), Entry(room.pk, "id-2", alice, "hi"),
                   Entry(room.pk, "id-2", mallory, "ho"), Entry(room.pk, "id-2", alice, "hi")])
print([(stored.seq, stored.fresh) for stored in said], room.epoch)
"""


@pytest.mark.parametrize("database", ["Postgres", "SQLite"])
def test_a_message_stored_by_the_version_before_is_stored_once_when_it_is_sent_again(
    image: Image, postgres: Postgres, tmp_path: Path, database: str
) -> None:
    url = postgres.create_database("migrated") if database == "Postgres" else f"sqlite:///{tmp_path}/rooms.sqlite3"
    env = environment(DATABASE_URL=url)
    image.manage("migrate", "rooms", BEFORE, env=env)
    image.manage("shell", "--command", STORED_BY_THE_VERSION_BEFORE.format(number=1), env=env)
    image.migrate(env)
    image.manage("shell", "--command", STORED_BY_THE_VERSION_BEFORE.format(number=2), env=env)
    told = image.manage("shell", "--command", SENT_AGAIN, env=env)
    assert told.endswith("[(1, False), (2, False), (3, True), (2, False)] an-epoch\n")


def test_a_migration_that_was_interrupted_is_finished_by_the_next_one(image: Image, postgres: Postgres) -> None:
    """An index that is built while people talk is left behind, invalid, where that ends half way."""
    env = environment(DATABASE_URL=postgres.create_database("interrupted"))
    image.manage("migrate", "rooms", "0003", env=env)
    leave = (
        "from django.db import connection; connection.cursor().execute('CREATE UNIQUE INDEX"
        " one_message_an_id_of_a_person ON rooms_message (room_id, client_id, person_key)')"
    )
    image.manage("shell", "--command", leave, env=env)
    image.migrate(env)
    assert "[X] 0005" in image.manage("showmigrations", "rooms", env=env)


def test_two_who_migrate_at_once_do_not_wait_for_each_other_for_ever(image: Image, postgres: Postgres) -> None:
    """One builds an index beside those who talk, which waits for every statement that runs."""
    env = environment(DATABASE_URL=postgres.create_database("together"))
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(image.migrate, env) for _ in range(2)]:
            done.result(120)

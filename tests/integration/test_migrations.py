"""Migrations that are interrupted, or run twice at once. What they do with what was said: test_carrying_over.py."""

from concurrent.futures import ThreadPoolExecutor

from servers.app import Image, environment
from servers.postgres import Postgres


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

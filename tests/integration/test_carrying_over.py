"""What was said in rooms of the version before becomes events of topics, while that version goes on serving."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import chain, count
from pathlib import Path
from threading import Event

import psycopg
import pytest

from servers.app import Image, environment
from servers.before import VersionBefore
from servers.carried import BORN, FOUND, LOBBY, OLD, SAID, SENT_AGAIN, Site
from servers.postgres import Database, Postgres

SECONDS = 60
SCHEMA = """
SELECT relkind::text, relname::text, ''::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'column', c.relname::text, attname::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname::text, '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
def filled(image: Image, postgres: Postgres) -> str:
    """The name of a database of the version before."""
    Site(image, postgres.create_database("filled")).as_the_version_before_made_it()
    return "filled"


@pytest.fixture
def site(image: Image, postgres: Postgres, filled: str) -> Site:
    return Site(image, postgres.create_database(f"carried-{next(NUMBERS)}", copy_of=filled))


@pytest.fixture
def before(site: Site) -> Iterator[VersionBefore]:
    with closing(VersionBefore(site.url)) as version:
        yield version


NUMBERS = count(1)
LINEAGE = "SELECT salt, lineage FROM rooms_lineage, topics_installation"


@pytest.mark.parametrize("kind", ["Postgres", "SQLite"])
def test_everything_that_was_said_is_carried_over_once(
    image: Image, postgres: Postgres, tmp_path: Path, kind: str
) -> None:
    url = postgres.create_database("carried") if kind == "Postgres" else f"sqlite:///{tmp_path}/rooms.sqlite3"
    site = Site(image, url).as_the_version_before_made_it()
    site.migrate()
    found = json.loads(site.shell(FOUND))
    past, later = "2024-02-29T12:34:56.789012+00:00", "2025-02-28T12:34:56.789012+00:00"
    assert found["rooms"] == ["empty", "lobby-ü", "old"]
    assert found["logs"] == [
        ["room/empty", "epoch-of-empty", 0, past, later],
        ["room/lobby-ü", "epoch-of-lobby", len(SAID), past, later],
        ["room/old", "epoch-of-old", 1, past, past],
    ]
    keys = {"id-6": "user:1"}
    assert [tuple(event) for event in found["events"]] == [
        (seq, id, key or keys.get(id, ""), 1 if hers else None, name, not hers, body, past)
        for seq, (id, key, hers, name, body) in enumerate(SAID, 1)
    ]
    assert site.shell(SENT_AGAIN) == f"[1, 2, 4, 7, 8, 11, {len(SAID) + 1}]\n"


def test_the_version_before_talks_while_it_is_migrated_and_with_this_one_afterwards(
    site: Site, before: VersionBefore
) -> None:
    with talking(site.url, ("carol", "dave")) as acked:
        wait(lambda: len(acked) > 20)
        site.manage("check_migrations")
        assert not site.database.events("room/lobby-ü"), "asking carries nothing over"
        site.migrate()
        so_far = len(acked)
        wait(lambda: len(acked) > so_far + 20)
        numbers = site.talk("lobby-ü", ["erin", "frank"], 60)
    messages = before.read(LOBBY)
    told = {(id, name): seq for seq, id, name, _ in messages[len(SAID) :]}
    assert [seq for seq, *_ in messages] == list(range(1, len(messages) + 1)), "one numbering without a hole"
    assert told == acked | {
        (f"{who}-{n}", who): seq
        for who, seqs in zip(["erin", "frank"], numbers, strict=True)
        for n, seq in enumerate(seqs)
    }
    assert [(seq, id, json.loads(data)["body"]) for seq, id, data in site.database.events("room/lobby-ü")] == [
        (seq, id, body) for seq, id, _, body in messages
    ]
    room = before.room("lobby-ü")
    assert room is not None
    assert room.seq == len(messages)


def test_whoever_of_both_versions_makes_a_room_the_other_finds_it(site: Site, before: VersionBefore) -> None:
    site.migrate()
    before.make(BORN, "born", "epoch-as-told")
    assert before.say(BORN, "id-1", "first") == 1
    assert site.talk("born", ["erin"], 2) == [[2, 3]]
    assert before.room("born") == (BORN, "epoch-as-told", 3)
    assert site.talk("new", ["erin"], 1) == [[1]]
    before.make(BORN + 1, "new", "not-its-epoch")
    new = before.room("new")
    assert new is not None
    assert new.key != BORN + 1
    assert before.say(new.key, "id-1", "second") == 2
    assert before.recent() == [new.key, BORN, LOBBY, OLD]
    assert json.loads(site.shell(FOUND))["rooms"] == ["born", "empty", "lobby-ü", "new", "old"]


def test_what_one_version_removes_is_gone_for_both(site: Site, before: VersionBefore) -> None:
    site.migrate()
    site.talk("new", ["erin"], 1)
    before.delete_user(1)
    assert len(before.read(LOBBY)) == len(SAID)
    lineages = [site.database.rows(LINEAGE)]
    before.remove(LOBBY)
    lineages.append(site.database.rows(LINEAGE))
    site.shell("from rooms.models import Room; [room.delete() for room in Room.objects.exclude(name='empty')]")
    lineages.append(site.database.rows(LINEAGE))
    before.sweep()
    assert json.loads(site.shell(FOUND)) == {"rooms": [], "logs": [], "events": []}
    assert not site.database.rows("SELECT 1 FROM rooms_room UNION ALL SELECT 1 FROM rooms_message")
    salts, epochs = zip(*chain(*lineages), strict=True)
    assert len(set(salts)) == len(set(epochs)) == 3, "a log that is made again is another one, for both"


def test_an_event_that_was_changed_or_retracted_is_read_so_by_the_version_before(
    site: Site, before: VersionBefore
) -> None:
    site.migrate()
    site.shell(
        "from rooms.topics import RoomTopic; lobby = RoomTopic(room='lobby-ü');"
        " lobby.amend(1, {'body': 'amended'}); lobby.retract(2)"
    )
    bodies = [body for *_, body in before.read(LOBBY)]
    assert bodies[:2] == ["amended", ""]
    assert len(bodies) == len(SAID) + 2, "a change has a number, so it is a message that says nothing"


def test_a_room_whose_key_a_topic_has_is_found_by_its_name(site: Site, before: VersionBefore) -> None:
    with psycopg.connect(site.url) as connection:
        connection.execute(
            "INSERT INTO topics_log (name, epoch, seq, pruned, created_at, changed_at)"
            " VALUES ('votes/lunch', 'epoch-of-lunch', 0, 0, now(), now())"
        )
    site.migrate()
    old = before.room("old")
    assert old is not None
    assert old.key != OLD
    assert old[1:] == ("epoch-of-old", 1)
    assert before.say(old.key, "id-2", "and on") == 2
    assert site.talk("old", ["erin"], 1) == [[3]]


def test_a_copy_that_was_killed_is_finished_by_the_next_migrate(site: Site, before: VersionBefore) -> None:
    with psycopg.connect(site.url) as somebody:
        somebody.execute("LOCK TABLE rooms_message IN ROW EXCLUSIVE MODE")  # nobody else gets it alone
        command = [sys.executable, "manage.py", "migrate", "--noinput"]
        migrating = subprocess.Popen(command, cwd=site.image.app, env=site.env)
        try:
            wait(lambda: len(site.database.events("room/lobby-ü")) == len(SAID))
        finally:
            migrating.kill()
            migrating.wait()
    assert before.say(LOBBY, "id-10", "meanwhile") == len(SAID) + 1
    before.remove(OLD)
    before.make(BORN, "old", "another-epoch")
    site.migrate()
    assert site.database.events("room/lobby-ü")[-1][:2] == (len(SAID) + 1, "id-10")
    assert [log[1:3] for log in json.loads(site.shell(FOUND))["logs"]][-1] == ["another-epoch", 0]


def test_nothing_of_the_version_before_is_left_once_it_has_been_silent_for_an_hour(
    site: Site, before: VersionBefore, image: Image, postgres: Postgres
) -> None:
    site.migrate()
    kept = site.database.rows("SELECT id, name FROM rooms_opened ORDER BY id")
    with psycopg.connect(site.url) as connection:
        connection.execute("UPDATE rooms_lineage SET used_at = now() - interval '2 hours'")
    before.say(LOBBY, "id-10", "still here")
    site.migrate()
    assert before.room("lobby-ü")
    before.close()
    with psycopg.connect(site.url) as connection:
        connection.execute("UPDATE rooms_lineage SET used_at = now() - interval '61 minutes'")
    site.migrate()
    site.migrate()
    fresh = environment(DATABASE_URL=postgres.create_database("fresh"))
    image.migrate(fresh)
    assert schema(site.url) == schema(fresh["DATABASE_URL"])
    assert site.database.rows("SELECT id, name FROM rooms_opened ORDER BY id") == kept
    assert site.talk("lobby-ü", ["erin"], 1) == [[len(SAID) + 2]]


def schema(url: str) -> list[tuple[str, ...]]:
    return sorted(Database(url).rows(SCHEMA))


@contextmanager
def talking(url: str, people: tuple[str, ...]) -> Iterator[dict[tuple[str, str], int]]:
    """People who talk by the version before until the end: what was acknowledged, by id and name."""
    over, acked = Event(), dict[tuple[str, str], int]()

    def talk(who: str) -> None:
        with closing(VersionBefore(url)) as version:
            for number in count():
                if over.is_set():
                    return
                acked[f"{who}-{number}", who] = version.say(LOBBY, f"{who}-{number}", "on", f"guest:{who}", who)

    with ThreadPoolExecutor() as pool:
        told = [pool.submit(talk, who) for who in people]
        try:
            yield acked
        finally:
            over.set()
    for each in told:
        each.result()


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)

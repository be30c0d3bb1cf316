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
from servers.postgres import Database, Postgres

LOBBY, EMPTY, BORN = 2**41 + 1, 2**41 + 2, 2**41 + 3  # keys as that version derives them from a room's name
OLD = 1  # and one that a sequence gave
SECONDS = 60

SAID = [  # id, person_key, whether it is alice's (the user), name, body
    ("id-1", "guest:b", False, "bob", "hi"),
    ("id-1", "user:1", True, "alice", "the same id"),
    ("id-2", "user:1", True, "alice", 'say "x" \\ back/slash </script>'),
    ("id-3", "", False, "Crane 100", "who has no cookie"),
    ("id-4", "guest:b", False, "bób 𝒳", "\U0001f600 \u2028 e\u0301 \ufeff"),
    ("id-5", "guest:b", False, "bob", "tab\tline\r\nbell\x07\b\f\x1f\x7f"),
    ("id-6", "", True, "alice", "stored before there were keys of persons"),
    ("id-7", "user:1", True, "alice", "said again by her"),
    ("id-7", "", True, "alice", "said before there were keys of persons"),
    ("id-8", "", False, "dora", "whose account is gone"),
    ("id-9", "guest:b", False, "bob", "x" * 4_000),
]
STORED_BY_THE_VERSION_BEFORE = f"""
import json
from django.contrib.auth import get_user_model
from django.db import connection
alice = get_user_model().objects.create_user("alice")
assert alice.pk == 1
with connection.cursor() as cursor:
    rooms = "INSERT INTO rooms_room (id, name, epoch, seq, created_at, changed_at) VALUES (%s, %s, %s, %s, %s, %s)"
    said = ("INSERT INTO rooms_message (room_id, seq, client_id, person_key, user_id, author, guest, body, at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)")
    past = "2024-02-29 12:34:56.789012" + ("+00" if connection.vendor == "postgresql" else "")
    later = past.replace("2024", "2025").replace("29", "28")
    cursor.execute("INSERT INTO rooms_lineage (id, salt) VALUES (1, 'salt')")
    cursor.execute(rooms.replace("id, ", "").replace("%s, ", "", 1), ["old", "epoch-of-old", 1, past, past])
    cursor.execute(rooms, [{LOBBY}, "lobby-ü", "epoch-of-lobby", {len(SAID)}, past, later])
    cursor.execute(rooms, [{EMPTY}, "empty", "epoch-of-empty", 0, past, later])
    cursor.execute(said, [{OLD}, 1, "id-1", "guest:b", None, "bob", True, "in a room that a sequence numbered", past])
    for seq, (id, key, hers, name, body) in enumerate(json.loads({json.dumps(SAID)!r}), 1):
        cursor.execute(said, [{LOBBY}, seq, id, key, alice.pk if hers else None, name, not hers, body, past])
"""

FOUND = """
import json
from rooms.models import Making, Room
from rooms.topics import RoomTopic
from topics.data import encoded
from topics.models import Entry, Log
for entry in Entry.objects.all():
    assert entry.data == encoded(json.loads(entry.data)), entry.data
logs = Log.objects.filter(name__startswith="room/").order_by("name")
print(json.dumps({
    "rooms": sorted(Room.objects.values_list("name", flat=True)),
    "logs": [(log.name, log.epoch, log.seq, log.created_at.isoformat(), log.changed_at.isoformat()) for log in logs],
    "events": [(e.seq, e.id, e.by.key, e.by.user_id, e.by.name, e.by.guest, e.data["body"], e.at.isoformat())
               for e in RoomTopic(room="lobby-ü").events()],
}))
"""
SENT_AGAIN = """
from rooms.topics import RoomTopic
from topics import Conflict, Person
lobby = RoomTopic(room="lobby-ü")
alice, bob = Person("user:1", "alice", False, 1), Person("guest:b", "bob", True)
stranger = Person("guest:s", "Heron 200", True, None, False).as_author
said = [lobby.append({"body": body}, id=id, by=by).seq for id, body, by in (
    ("id-1", "hi", bob), ("id-1", "the same id", alice), ("id-3", "who has no cookie", stranger),
    ("id-6", "stored before there were keys of persons", alice), ("id-7", "said again by her", alice),
    ("id-9", "x" * 4_000, bob), ("id-9", "of another", alice))]
try:
    lobby.append({"body": "ho"}, id="id-1", by=bob)
except Conflict:
    print(said)
"""
TALK = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from rooms.topics import RoomTopic
from topics import Busy, Person
def say(topic, who, number):
    while True:
        try:
            return topic.append({{"body": "on"}}, id=f"{{who}}-{{number}}", by=Person(f"guest:{{who}}", who, True))
        except Busy:
            pass
def talk(who):
    try:
        topic = RoomTopic(room={room!r})
        return [say(topic, who, number).seq for number in range({times})]
    finally:
        connection.close()
with ThreadPoolExecutor() as pool:
    print(list(pool.map(talk, {people!r})))
"""
SCHEMA = """
SELECT relkind::text, relname::text, ''::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'column', c.relname::text, attname::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname::text, '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


class Site:
    """A database, and the commands of this version."""

    def __init__(self, image: Image, url: str) -> None:
        self.image, self.url, self.env = image, url, environment(DATABASE_URL=url)

    def as_the_version_before_made_it(self) -> "Site":
        for arguments in (["auth"], ["topics", "0001"], ["rooms", "0005"]):
            self.manage("migrate", *arguments)
        self.shell(STORED_BY_THE_VERSION_BEFORE)
        return self

    def manage(self, *arguments: str) -> str:
        return self.image.manage(*arguments, env=self.env)

    def migrate(self) -> None:
        self.image.migrate(self.env)

    def shell(self, script: str) -> str:
        return self.manage("shell", "--verbosity", "0", "--command", script)

    def talk(self, room: str, people: list[str], times: int) -> list[list[int]]:
        """People who talk at once by this version: the numbers of what each has said."""
        return json.loads(self.shell(TALK.format(room=room, people=people, times=times)))

    @property
    def database(self) -> Database:
        return Database(self.url)


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

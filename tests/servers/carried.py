"""A database as the version before left it, and what this version makes of it."""

import json

from servers.app import Image, environment
from servers.postgres import Database

LOBBY, EMPTY, BORN = 2**41 + 1, 2**41 + 2, 2**41 + 3  # keys as that version derives them from a room's name
OLD = 1  # and one that a sequence gave

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
MADE_BY_THE_VERSION_BEFORE = f"""
import json
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
for target in (["auth"], ["topics", "0001"], ["rooms", "0005"]):
    call_command("migrate", *target, verbosity=0)
alice, = get_user_model().objects.bulk_create([get_user_model()(username="alice")])  # without signals of today
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


class Site:
    """A database, and the commands of this version."""

    def __init__(self, image: Image, url: str) -> None:
        self.image, self.url, self.env = image, url, environment(DATABASE_URL=url)

    def as_the_version_before_made_it(self) -> "Site":
        self.shell(MADE_BY_THE_VERSION_BEFORE)
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

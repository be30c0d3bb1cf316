"""The version before: what it asks of Postgres, word by word, to store, read and remove what is said in rooms."""

import json
from typing import Any, NamedTuple

import psycopg

COLUMNS = (
    "room_id bigint, seq bigint, client_id text, person_key text, user_id integer, author text, guest boolean,"
    " body text"
)
NAMES = "room_id, seq, client_id, person_key, user_id, author, guest, body"
LOCK = "SELECT id, seq, epoch FROM rooms_room WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
THERE = (
    "SELECT id FROM rooms_message WHERE room_id = said.room_id AND client_id = said.client_id"
    " AND person_key IN (said.person_key, '') ORDER BY person_key DESC LIMIT 1"
)
SAID = f"json_to_recordset(%s) AS said({COLUMNS})"
LOOK = f"SELECT key FROM (SELECT ({THERE}) AS key FROM {SAID}) AS found WHERE key IS NOT NULL"
STORE = f"INSERT INTO rooms_message ({NAMES}, at) SELECT {NAMES}, now() FROM {SAID}"
NUMBER = (
    "UPDATE rooms_room SET seq = (SELECT max(seq) FROM rooms_message WHERE room_id = rooms_room.id), changed_at ="
    " CASE WHEN changed_at BETWEEN statement_timestamp() - interval '1 second' AND statement_timestamp()"
    " THEN changed_at ELSE statement_timestamp() END WHERE id = ANY(%s)"
)
MAKE = (
    "INSERT INTO rooms_room (id, name, epoch, seq, created_at, changed_at) VALUES (%s, %s, %s, 0, now(), now())"
    " ON CONFLICT DO NOTHING"
)
PAGE = (
    "SELECT 0 AS page, * FROM (SELECT * FROM rooms_message WHERE room_id = %s AND seq > %s ORDER BY seq LIMIT %s) AS p"
)
EMPTY = (
    "SELECT id FROM rooms_room WHERE seq = 0 AND changed_at < now() - interval '1 day' ORDER BY changed_at LIMIT 500"
    " FOR UPDATE SKIP LOCKED"
)
RECENT = (
    "SELECT r.id, m.person_key FROM rooms_room r LEFT JOIN rooms_making m ON m.room_id = r.id WHERE r.seq > 0"
    " ORDER BY r.changed_at DESC LIMIT 500"
)


class Room(NamedTuple):
    key: int
    epoch: str
    seq: int


class VersionBefore:
    """Over a connection of its own. It tries again where a lock is waited for too long, as its writer does."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self.connection.close()

    def room(self, name: str) -> Room | None:
        found = self.connection.execute("SELECT id, epoch, seq FROM rooms_room WHERE name = %s", [name]).fetchone()
        return Room(*found) if found else None

    def make(self, key: int, name: str, epoch: str) -> None:
        self.connection.execute(MAKE, [key, name, epoch])

    def say(self, room: int, id: str, body: str, person: str = "guest:b", name: str = "bob", user: Any = None) -> int:
        """The number of the message that has this id. It is said once, however often."""
        row = {"room_id": room, "client_id": id, "person_key": person, "user_id": user, "author": name}
        row |= {"guest": user is None, "body": body}
        while True:
            try:
                with self.connection.transaction():
                    return self._say(row)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                continue

    def _say(self, row: dict[str, Any]) -> int:
        ask = self.connection.execute
        ask("SELECT set_config('lock_timeout', '200ms', true)")
        [(_, seq, _)] = ask(LOCK, [[row["room_id"]]]).fetchall()
        if there := ask(LOOK, [json.dumps([row])]).fetchone():
            [(seq,)] = ask("SELECT seq FROM rooms_message WHERE id = %s", there).fetchall()
            return int(seq)
        ask(STORE, [json.dumps([row | {"seq": seq + 1}])])
        ask(NUMBER, [[row["room_id"]]])
        return int(seq) + 1

    def read(self, room: int, after: int = 0, limit: int = 10_000) -> list[tuple[int, str, str, str]]:
        """(seq, id, author, body) of what follows that number."""
        rows = self.connection.execute(PAGE, [room, after, limit])
        names = [column.name for column in rows.description or ()]
        wanted = [names.index(name) for name in ("seq", "client_id", "author", "body")]
        return [(row[wanted[0]], row[wanted[1]], row[wanted[2]], row[wanted[3]]) for row in rows.fetchall()]

    def recent(self) -> list[int]:
        return [row[0] for row in self.connection.execute(RECENT).fetchall()]

    def remove(self, *rooms: int) -> None:
        with self.connection.transaction():
            for table, column in (("rooms_making", "room_id"), ("rooms_message", "room_id"), ("rooms_room", "id")):
                self.connection.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [list(rooms)])

    def sweep(self) -> None:
        self.remove(*(row[0] for row in self.connection.execute(EMPTY).fetchall()))

    def delete_user(self, user: int) -> None:
        with self.connection.transaction():
            for table in ("rooms_message", "topics_entry"):
                self.connection.execute(f"UPDATE {table} SET user_id = NULL WHERE user_id = %s", [user])
            self.connection.execute("DELETE FROM auth_user WHERE id = %s", [user])

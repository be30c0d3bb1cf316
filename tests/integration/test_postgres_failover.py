"""Two servers of Postgres, of which one follows the other: the first dies while people talk, the second takes over."""

import asyncio
import secrets
import time
from collections.abc import Iterator

import psycopg
import pytest

from client import enter, new_id, new_room
from integration.test_doctor import Found, doctor
from ledger import keep
from servers.app import Image, Server, environment
from servers.postgres import Database, Postgres
from servers.redis import Redis
from servers.stack import SERVERS

SECONDS = 60
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


class Pair:
    """A primary and its standby, two ws processes and one of gunicorn."""

    def __init__(self, image: Image) -> None:
        self.primary = Postgres()
        self.primary.start()
        name = f"rooms-{secrets.token_hex(4)}"
        url = self.primary_url = self.primary.create_database(name)
        self.standby = Postgres(standby_of=self.primary)
        self.standby.start()
        self.primary.waits_for_its_standby()
        self.redis = Redis()
        self.redis.start()
        both = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        url = url.replace(f"127.0.0.1:{self.primary.port}", both)
        self.database = Database(f"{url}?target_session_attrs=read-write")
        env = self.env = environment(DATABASE_URL=url, REDIS_URL=self.redis.url)
        image.migrate(env)
        self.ws = [image.ws(server, env | {"WS_SERVER": server}) for server in SERVERS]
        self.web = image.web(env)
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_ready()

    @property
    def servers(self) -> list[Server]:
        return [*self.ws, self.web]

    def end_the_waiting(self) -> None:
        """As somebody does who sees a COMMIT that hangs."""
        with psycopg.connect(self.primary_url, autocommit=True) as connection:
            deadline = time.monotonic() + SECONDS
            while not connection.execute(CANCEL).fetchall():
                assert time.monotonic() < deadline, "nobody waits for the standby"
                time.sleep(0.05)

    def on_the_primary(self, room: str) -> list[tuple[int, str, str]]:
        return Database(self.primary_url).messages(room)

    def stop(self) -> None:
        for process in (*self.servers, self.redis, self.standby, self.primary):
            if process.alive:
                process.kill()


@pytest.fixture(scope="module")
def pair(image: Image) -> Iterator[Pair]:
    pair = Pair(image)
    yield pair
    pair.stop()


async def test_what_the_standby_has_not_confirmed_is_not_acknowledged(image: Image, pair: Pair) -> None:
    """Postgres calls the COMMIT a success when somebody ends the waiting."""
    room, id = new_room(), new_id()
    async with await enter(pair.ws[0].ws_url, room) as alice:
        await alice.say("before")
        await asyncio.to_thread(pair.standby.pause)
        asked: Found | None = None
        for _ in range(2):  # to try again is no way around it
            seen = len(alice.frames)
            await alice.send({"type": "message", "id": id, "body": "on one disk alone"})
            if not asked:
                asked = await asyncio.to_thread(doctor, image, pair.env)
                asked.leads_to("standby", "waits for a standby that does not confirm", "synchronous_standby_names")
            await asyncio.to_thread(pair.end_the_waiting)
            answer = await alice.until(lambda frame: frame.get("id") == id, "an answer", SECONDS)
            assert answer["code"] == "unavailable", answer
            del alice.frames[seen:]
        assert [entry[1] for entry in pair.on_the_primary(room)][-1] == id, "Postgres has it there all the same"
        await asyncio.to_thread(pair.standby.resume)
        assert (await alice.say("on one disk alone", id))["seq"] == 2


async def test_the_primary_dies_and_what_was_acknowledged_is_on_the_one_that_takes_over(
    image: Image, pair: Pair
) -> None:
    async def fails_over() -> None:
        await asyncio.to_thread(pair.primary.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(pair.standby.promote)

    bases = [server.ws_url for server in pair.ws for _ in range(2)]
    account = await keep(bases, new_room("ledger"), pair.database, fails_over)
    assert account.faultless, account
    with psycopg.connect(pair.database.url) as connection:
        assert connection.info.port == pair.standby.port
    async with asyncio.timeout(SECONDS):
        while any(server.health() != 200 for server in pair.servers):
            await asyncio.sleep(0.1)
    found = await asyncio.to_thread(doctor, image, pair.env)
    assert "replication is asynchronous" in found.of("doubtful")["standby"], "it has no standby of its own yet"

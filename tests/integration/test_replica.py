"""A copy of the database that is read from: pages and searches, as long as it has what they know of."""

import asyncio
import json
import time
from collections.abc import Iterator

import psycopg
import pytest

from client import Socket, enter, new_room
from integration.test_doctor import doctor
from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page

SECONDS = 60


class Copied(Stack):
    standby: Postgres

    def reads_of(self) -> list[str]:
        """What the copy has been asked since the mark that is about events or their words."""
        said = self.standby.output_since_mark(most=10**6)
        return [line for line in said.splitlines() if "topics_entry" in line or "topics_words" in line]

    def stop_following(self, stop: bool) -> None:
        with psycopg.connect(self.standby._url("postgres"), autocommit=True) as connection:
            connection.execute(f"SELECT pg_wal_replay_{'pause' if stop else 'resume'}()")

    def catches_up(self) -> None:
        with psycopg.connect(self.database.url, autocommit=True) as primary:
            [(now,)] = primary.execute("SELECT pg_current_wal_lsn()::text").fetchall()
        with psycopg.connect(self.standby._url("postgres"), autocommit=True) as copy:
            deadline = time.monotonic() + SECONDS
            while copy.execute("SELECT pg_last_wal_replay_lsn() < %s::pg_lsn", [now]).fetchone() != (False,):
                assert time.monotonic() < deadline, "it does not catch up"
                time.sleep(0.02)


@pytest.fixture(scope="module")
def stack(image: Image, cluster: Postgres) -> Iterator[Copied]:
    stack = Copied(image, cluster, SERVERS[:1])
    stack.standby = Postgres(standby_of=cluster, log_statement="all")
    stack.standby.start()
    url = stack.database.url.replace(f":{cluster.port}/", f":{stack.standby.port}/")
    stack.env["READ_DATABASE_URL"] = url
    for process in stack.application:
        process.env = {**(process.env or {}), "READ_DATABASE_URL": url}
    with stack:
        stack.catches_up()
        yield stack
    if stack.standby.alive:
        stack.standby.kill()


async def said(socket: Socket, *bodies: str) -> None:
    for body in bodies:
        await socket.say(body)


def test_pages_of_the_past_and_searches_are_read_from_the_copy_and_resuming_never(stack: Copied) -> None:
    room, visitor = new_room(), Visitor(stack.base_url)

    async def talk() -> None:
        async with await enter(stack.ws[0].ws_url, room) as alice:
            await said(alice, *(f"walrus {number}" for number in range(30)))

    asyncio.run(talk())
    visitor.get(f"{room_page(room)}search/?q=walrus")  # has their words kept
    stack.catches_up()
    for path, words in (
        (f"{room_page(room)}?before=20", "walrus 11"),
        (f"/topics/room/{room}?before=20", "walrus 11"),
        (f"{room_page(room)}search/?q=walrus", "walrus"),
    ):
        stack.standby.mark()
        assert words in visitor.get(path).text
        assert stack.reads_of(), path
    stack.standby.mark()

    async def return_() -> None:
        async with await enter(stack.ws[0].ws_url, room) as alice:
            assert alice.welcome["seq"] == 30

    asyncio.run(return_())
    assert "walrus 20" in visitor.get(f"/topics/room/{room}?after=10").text
    assert stack.reads_of() == []


def test_a_copy_that_is_behind_shows_no_page_without_ones_own_words(stack: Copied) -> None:
    room, visitor = new_room(), Visitor(stack.base_url)
    visitor.post(room_page(room), {"body": "heron one"})
    stack.catches_up()
    stack.stop_following(True)
    try:
        visitor.post(room_page(room), {"body": "heron two"})
        assert "heron two" in visitor.get(room_page(room)).text
        assert "</mark> two" in visitor.get(f"{room_page(room)}search/?q=heron").text
        history = json.loads(visitor.get(f"/topics/room/{room}?before=3").text)
        assert [event["data"]["body"] for event in history["events"]] == ["heron one", "heron two"]
    finally:
        stack.stop_following(False)


def test_without_the_copy_all_pages_are_there_and_the_doctor_says_what_is_missing(image: Image, stack: Copied) -> None:
    room, visitor = new_room(), Visitor(stack.base_url)
    visitor.post(room_page(room), {"body": "otter"})
    stack.catches_up()
    found = doctor(image, stack.env)
    assert "behind" in found.of("ok")["replica"]
    stack.standby.kill()
    assert "otter" in visitor.get(room_page(room)).text
    assert "otter" in visitor.get(f"{room_page(room)}search/?q=otter").text
    found = doctor(image, stack.env)
    assert found.of("broken")["replica"].startswith("READ_DATABASE_URL: the database cannot be reached")
    stack.standby.start()

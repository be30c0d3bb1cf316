"""Postgres takes no writes for a while, as providers have it when a disk is nearly full and standbys all the time.

Alice, bob and the others of a crowd speak by sockets of both servers, and by forms.
"""

import asyncio
from collections.abc import Iterator
from time import monotonic

import psycopg
import pytest

from client import enter, new_id, new_room
from servers.app import Image, Server
from servers.postgres import Database, Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page

CROWD = 12  # more than a process has connections
WORKERS = 12  # more forms than gunicorn has threads


@pytest.fixture(scope="module")
def stack(image: Image, cluster: Postgres) -> Iterator[Stack]:
    with Stack(image, cluster, SERVERS, WEB_CONCURRENCY="1") as running:
        yield running


class Spell:
    """A time in which the database takes no writes."""

    def __init__(self, stack: Stack, begin: list[str], end: list[str]) -> None:
        self.root = Database(stack.database.url.rpartition("/")[0] + "/postgres")
        self.name = stack.database.url.rpartition("/")[2]
        self._begin, self._end = begin, end

    def begin(self) -> None:
        self._do(self._begin)

    def end(self) -> None:
        self._do(self._end)

    def _do(self, statements: list[str]) -> None:
        with psycopg.connect(self.root.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            for statement in statements:
                connection.execute(statement.format(name=self.name).encode())


OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
# How a provider does it: for new connections, and the old ones are ended. Those opened meanwhile stay read-only.
FOR_NEW_ONES = (
    [
        'ALTER DATABASE "{name}" SET default_transaction_read_only = on',
        OUT,
    ],
    ['ALTER DATABASE "{name}" RESET default_transaction_read_only'],
)
FOR_ALL = (
    [
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    ],
    ["ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"],
)


@pytest.mark.parametrize("how", [FOR_NEW_ONES, FOR_ALL], ids=["for new connections", "for all"])
async def test_after_a_read_only_spell_everybody_speaks_at_once(stack: Stack, how: tuple[list[str], list[str]]) -> None:
    room, spell = new_room(), Spell(stack, *how)
    crowd = [await enter(stack.ws[number % 2].ws_url, room) for number in range(CROWD)]
    visitors = [Visitor(stack.base_url) for _ in range(WORKERS)]
    for one in (crowd[0], crowd[1]):
        await one.say(new_id())
    await asyncio.gather(*(asyncio.to_thread(visitor.get, room_page(room)) for visitor in visitors))
    spell.begin()
    try:
        await all_are(503, stack)
        for one in crowd:
            await one.send({"type": "message", "id": new_id(), "body": "into the wall"})
        for one in crowd:
            assert (await one.error("unavailable"))["retry_after_ms"]
        refused = await gathered(visitors, room, "into the wall")
        assert set(refused) == {503}
        # Who reads meanwhile meets no error, on a connection that cannot write.
        read = await asyncio.gather(*(asyncio.to_thread(visitor.get, room_page(room)) for visitor in visitors))
        assert {page.status for page in read} == {200}
    finally:
        spell.end()
    await asyncio.gather(*(one.say(new_id()) for one in crowd))
    for one in crowd:
        assert len([frame for frame in one.frames if frame["type"] == "error"]) == 1, "not once more"
    await asyncio.gather(*(one.leave() for one in crowd))
    assert set(await gathered(visitors, room, "through")) == {303}
    await all_are(200, stack)


async def gathered(visitors: list[Visitor], room: str, body: str) -> list[int]:
    """What the forms of all are answered, sent at once."""
    pages = await asyncio.gather(
        *(asyncio.to_thread(visitor.post, room_page(room), {"body": body}) for visitor in visitors)
    )
    return [page.status for page in pages]


async def all_are(status: int, stack: Stack) -> None:
    for process in stack.application:
        await is_(status, process)


async def is_(status: int, process: Server) -> None:
    """What whoever asks whether it is ready is told, sooner or later."""
    deadline = monotonic() + 60
    while (found := await asyncio.to_thread(process.health)) != status:
        assert monotonic() < deadline, f"{process.name} is {found}"
        await asyncio.sleep(0.1)

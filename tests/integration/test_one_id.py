"""One id from nginx' log through web and ws to the line that says what went wrong in the database."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from client import enter, new_id, new_room
from servers.app import Image
from servers.postgres import Postgres
from servers.process import Process
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page

SECONDS = 60
AWAY, BACK = "ALTER TABLE topics_entry RENAME TO away", "ALTER TABLE away RENAME TO topics_entry"


@pytest.fixture(scope="module", params=SERVERS)
def stack(request: pytest.FixtureRequest, image: Image, postgres: Postgres) -> Iterator[Stack]:
    with Stack(image, postgres, [request.param]) as running:
        yield running


@pytest.fixture
def room(stack: Stack) -> Iterator[str]:
    """A room in which something was said, and whose events cannot be read any more: their table is gone."""
    room = new_room()
    append = f"RoomTopic(room={room!r}).append({{'body': 'hi'}})"
    stack.manage("shell", "--command", f"from rooms.topics import RoomTopic; {append}")
    stack.database.do(AWAY)
    yield room
    stack.database.do(BACK)


def lines(process: Process, id: str) -> list[dict[str, Any]]:
    """What it has logged with this id, once that is something."""
    deadline = time.monotonic() + SECONDS
    while True:
        said = [json.loads(line) for line in process.output().splitlines() if line.startswith("{") and id in line]
        if said:
            return said
        assert time.monotonic() < deadline, f"nothing about {id}:\n{process.output()}"
        time.sleep(0.02)


def test_a_page_that_fails_has_its_id_everywhere(stack: Stack, room: str) -> None:
    alice, secret = Visitor(stack.base_url), new_id()
    page = alice.get(f"{room_page(room)}?token={secret}", X_Request_Id="alices-own-idea-of-an-id")
    assert page.status == 500
    id = page.headers["X-Request-Id"]
    assert [line["status"] for line in lines(stack.nginx, id)] == [500]
    said = lines(stack.web, id)
    assert any('relation "topics_entry" does not exist' in line.get("exception", "") for line in said)
    assert {line["id"] for line in said} == {id}
    for process in (stack.web, stack.nginx):
        assert "alices-own" not in process.output()
        assert secret not in process.output()


async def test_what_bob_says_fails_with_the_id_of_his_socket_and_not_of_alices(stack: Stack) -> None:
    room, text = new_room(), f"words of bob {new_id()}"
    async with await enter(stack.ws_url, room) as alice, await enter(stack.ws_url, room) as bob:
        await alice.say("all is well")
        ids = [each.connection.response.headers["X-Request-Id"] for each in (alice, bob)]
        for id in ids:
            assert id not in stack.ws[0].output()
        await asyncio.to_thread(stack.database.do, AWAY)
        try:
            await bob.send({"type": "message", "id": new_id(), "body": text})
            await bob.error("unavailable")
        finally:
            await asyncio.to_thread(stack.database.do, BACK)
        said = await asyncio.to_thread(lines, stack.ws[0], ids[1])
        assert any('relation "topics_entry" does not exist' in line["message"] for line in said)
        assert ids[0] not in stack.ws[0].output()
        assert text not in stack.ws[0].output()
        await alice.say("and well again")
        await bob.hears("and well again")
    for id in ids:
        assert await asyncio.to_thread(lines, stack.nginx, id)


def test_what_somebody_asks_of_a_topic_fails_with_its_id(stack: Stack, room: str) -> None:
    page = Visitor(stack.base_url).get(f"/topics/room/{room}")
    assert page.status >= 500
    assert lines(stack.ws[0], page.headers["X-Request-Id"])

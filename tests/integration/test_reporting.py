"""What somebody has to mend reaches Sentry, once, and nothing of the people to whom it happened."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from client import dial, new_id
from servers.app import Image, Server
from servers.postgres import Postgres
from servers.sentry import Sentry
from servers.stack import SERVERS, Stack
from visitor import Visitor

SECRET = "wine-at-eight"
FAULTY = {"DJANGO_SETTINGS_MODULE": "apps.faulty.settings", "PYTHONPATH": str(Path(__file__).parents[1])}
RELEASE = {"SENTRY_RELEASE": "rooms@47.11", "SENTRY_ENVIRONMENT": "rehearsal"}


@pytest.fixture(scope="module")
def taking() -> Iterator[Sentry]:
    with Sentry() as sentry:
        yield sentry


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres, taking: Sentry) -> Iterator[Stack]:
    with Stack(image, postgres, SERVERS, SENTRY_DSN=taking.dsn, **FAULTY, **RELEASE) as running:
        yield running


@pytest.fixture
def sentry(taking: Sentry) -> Sentry:
    """What this test has caused."""
    taking.forget()
    return taking


async def asks(server: Server, owner: str, *sent: Any) -> str:
    """Somebody's socket, on which all this is sent and answered; its id."""
    id = new_id()
    socket = await dial(server.ws_url + "/ws/", subprotocols=["topics.v1"], headers={"X-Request-Id": id})
    async with socket, asyncio.timeout(60):
        for data in sent:
            await socket.send(json.dumps({"type": "send", "topic": f"ledger/{owner}", "id": new_id(), "data": data}))
            while json.loads(await socket.recv())["type"] != "error":
                pass
    return id


@pytest.mark.parametrize("number", range(len(SERVERS)), ids=SERVERS)
async def test_a_bug_is_told_once_however_many_sockets_and_topics_meet_it(
    stack: Stack, sentry: Sentry, number: int
) -> None:
    server = stack.ws[number]
    with pytest.raises(InvalidStatus):
        await dial(server.ws_url + "/ws/", headers={"Origin": "https://stranger.example"})
    await asks(server, "alices", "refuse")  # nothing of these is an error
    id = await asks(server, f"{SECRET}-0", SECRET)
    error = await asyncio.to_thread(sentry.error, "ValueError")
    assert error["tags"] == {"role": "asgi", "request_id": id}
    assert (error["release"], error["environment"]) == ("rooms@47.11", "rehearsal")
    assert error["transaction"] == "/ws/"
    assert error["logentry"] == {"message": "%s could not take what it was sent"}
    assert (error["fingerprint"][1], error["fingerprint"][-1]) == ("ValueError", "apps.faulty.topics.received")
    await asyncio.gather(*(asks(server, f"{SECRET}-{number}", *3 * [SECRET]) for number in range(20)))

    id = await asks(server, SECRET, "begin")  # in the thread of the group commit
    error = await asyncio.to_thread(sentry.error, "LookupError")
    assert (error["fingerprint"][1], error["fingerprint"][-1]) == ("LookupError", "apps.faulty.topics.begin")
    assert error["tags"]["request_id"] == id

    await page_fails(sentry, server.url, "asgi")
    says_nothing_of_people(sentry, 3)
    assert await asyncio.to_thread(server.stop) == 0


async def test_a_page_that_fails_in_gunicorn_is_told(stack: Stack, sentry: Sentry) -> None:
    await page_fails(sentry, stack.web.url, "wsgi")
    says_nothing_of_people(sentry, 1)


async def page_fails(sentry: Sentry, base: str, role: str) -> None:
    id, path = new_id(), f"/ledger/{SECRET}/?token={SECRET}"
    headers = {"Cookie": f"a={SECRET}", "X_Request_Id": id}
    page = await asyncio.to_thread(lambda: Visitor(base).get(path, **headers))
    assert page.status == 500
    error = await asyncio.to_thread(sentry.error, "ArithmeticError")
    assert error["tags"] == {"role": role, "request_id": id}
    assert error["transaction"] == "/ledger/{owner}/"
    assert (error["fingerprint"][1], error["fingerprint"][-1]) == ("ArithmeticError", "apps.faulty.views.page")


def says_nothing_of_people(sentry: Sentry, errors: int) -> None:
    assert [event["level"] for event in sentry.events] == errors * ["error"]
    assert set(sentry.kinds) == {"event"}
    assert SECRET not in sentry.texts
    assert "127.0.0.1" not in "".join(json.dumps(event) for event in sentry.events)

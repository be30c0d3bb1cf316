"""What somebody has to mend reaches Sentry, once, and nothing of the people to whom it happened."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from client import dial, new_id
from servers.app import Image
from servers.postgres import Postgres
from servers.sentry import Sentry
from servers.stack import SERVERS, Stack
from visitor import Visitor

SECRET = "wine-at-eight"
FAULTY = {"DJANGO_SETTINGS_MODULE": "apps.faulty.settings", "PYTHONPATH": str(Path(__file__).parents[1])}
RELEASE = {"SENTRY_RELEASE": "rooms@47.11", "SENTRY_ENVIRONMENT": "rehearsal"}


@pytest.fixture(params=SERVERS)
def stack(request: pytest.FixtureRequest, image: Image, postgres: Postgres, sentry: Sentry) -> Iterator[Stack]:
    with Stack(image, postgres, [request.param], SENTRY_DSN=sentry.dsn, **FAULTY, **RELEASE) as running:
        yield running


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    with Sentry() as sentry:
        yield sentry


async def asks(stack: Stack, owner: str, *sent: Any, through: str = "") -> str:
    """Somebody's socket, on which all this is sent and answered; its id."""
    socket = await dial((through or stack.ws_url) + "/ws/", subprotocols=["topics.v1"])
    async with socket, asyncio.timeout(60):
        for data in sent:
            await socket.send(json.dumps({"type": "send", "topic": f"ledger/{owner}", "id": new_id(), "data": data}))
            while json.loads(await socket.recv())["type"] != "error":
                pass
        assert socket.response
        return socket.response.headers["X-Request-Id"]


async def test_a_bug_is_told_once_however_many_sockets_and_topics_meet_it(stack: Stack, sentry: Sentry) -> None:
    for stranger in ({"Origin": "https://stranger.example"}, {"Host": "stranger.example"}):
        with pytest.raises(InvalidStatus):
            await dial(stack.ws_url + "/ws/", headers=stranger)
    await asks(stack, "alices", "refuse")  # nothing of these is an error
    id = await asks(stack, f"{SECRET}-0", SECRET)
    error = await asyncio.to_thread(sentry.error, "ValueError")
    assert error["tags"]["request_id"] == id
    assert (error["release"], error["environment"], error["tags"]["role"]) == ("rooms@47.11", "rehearsal", "asgi")
    assert error["transaction"] == "ws/"
    assert error["logentry"] == {"message": "%s could not take what it was sent"}
    assert (error["fingerprint"][1], error["fingerprint"][-1]) == ("ValueError", "apps.faulty.topics.received")
    await asyncio.gather(*(asks(stack, f"{SECRET}-{number}", *3 * [SECRET]) for number in range(20)))

    await asks(stack, SECRET, "begin")  # in the thread of the group commit
    error = await asyncio.to_thread(sentry.error, "LookupError")
    assert (error["fingerprint"][1], error["fingerprint"][-1]) == ("LookupError", "apps.faulty.topics.begin")
    assert error["tags"]["request_id"]

    for role, base in (("wsgi", stack.base_url), ("asgi", stack.ws[0].url)):
        page = await asyncio.to_thread(Visitor(base).get, f"/ledger/{SECRET}/?token={SECRET}", Cookie=f"a={SECRET}")
        assert page.status == 500
        error = await asyncio.to_thread(lambda role=role: sentry.error("ArithmeticError", role=role))
        assert error["transaction"] == "/ledger/{owner}/"
        assert (error["fingerprint"][1], error["fingerprint"][-1]) == ("ArithmeticError", "apps.faulty.views.page")
        assert page.headers.get("X-Request-Id") in {None, error["tags"]["request_id"]}

    assert [event["level"] for event in sentry.events] == 4 * ["error"]
    assert set(sentry.kinds) == {"event"}
    assert SECRET not in sentry.texts
    assert "127.0.0.1" not in "".join(json.dumps(event) for event in sentry.events)
    assert await asyncio.to_thread(stack.ws[0].stop) == 0

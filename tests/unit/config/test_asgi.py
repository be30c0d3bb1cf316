"""The application is what everybody's tools take for one: alice talks to it without any server of ours."""

import json
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.compatibility import guarantee_single_callable
from channels.layers import channel_layers
from channels.routing import ProtocolTypeRouter
from channels.testing import HttpCommunicator, WebsocketCommunicator

from realtime import drain, registry

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # no static files are collected for unit tests
    from config.asgi import application


@pytest.fixture(autouse=True)
async def a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(drain, "_draining", False)
    monkeypatch.setattr(channel_layers, "backends", {})
    yield
    await registry.here().close()


def test_it_is_an_application_of_asgi_3() -> None:
    assert guarantee_single_callable(application) is application
    assert isinstance(application, ProtocolTypeRouter)


async def test_alice_is_told_that_there_is_no_such_place() -> None:
    alice = WebsocketCommunicator(application, "/ws/nowhere/", subprotocols=["rooms.v1"])
    assert await alice.connect() == (True, None)
    assert json.loads(await alice.receive_from())["reason"] == "no_such_room"
    assert await alice.receive_output() == {"type": "websocket.close", "code": 4404}
    await alice.disconnect()


async def test_a_page_of_another_site_opens_no_socket() -> None:
    headers = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
    carol = WebsocketCommunicator(application, "/ws/nowhere/", headers=headers)
    assert await carol.connect() == (False, 1000)


async def test_alice_asks_for_a_page() -> None:
    answer = await HttpCommunicator(application, "GET", "/health/live").get_response()
    assert (answer["status"], json.loads(answer["body"])) == (200, {"status": "ok"})


async def test_a_server_that_ends_leaves_nothing_behind_and_lets_nobody_in() -> None:
    ended: list[str] = []

    class Work:
        async def finish(self) -> None:
            ended.append("finished")

        async def close(self) -> None:
            ended.append("closed")

    registry.here().get(Work, Work)
    sent: list[dict[str, Any]] = []
    said = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, str]:
        return next(said)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert ended == ["finished", "closed"]
    assert drain.draining()

"""Pages without a build before them: plain static files, and passwords that cost nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, connections

import contract
from realtime import drain, hubs, registry
from realtime import hub as hub_module
from realtime.closing import RESTART
from topics import routes
from topics.delivery.live import TOPICS
from topics.storing import database, logs
from topics.testing import visits
from topics.testing.visitor import Visitor
from unit.realtime.fakes import Layer, until

from .declared import Begun, Chat, Notes, Votes


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine may have twenty other things to do."""
    monkeypatch.setattr(visits, "SECONDS", 20)


@pytest.fixture(autouse=True)
def cheap_pages(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def own_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    logs._known.clear()
    routes._found.clear()
    Begun.begun.clear()
    monkeypatch.setattr(routes, "classes", [Begun, Chat, Votes, Notes])


@pytest.fixture
def one_connection(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django gives each coroutine a connection of its own; here all share that of the test's transaction."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(connections, "_connections", SimpleNamespace(default=connections["default"]))


@pytest.fixture
async def process(one_connection: None, own_topics: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Layer]:
    """One process of its own, whose database work is done in this thread, inside the test's transaction."""

    async def run(executor: ThreadPoolExecutor, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return work(*args, **kwargs)

    layer = Layer()
    monkeypatch.setattr(database, "run", run)
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    yield layer
    for socket in list(drain.sockets):
        socket.close_with(RESTART)
    await until(lambda: not drain.sockets)
    assert hubs.here(TOPICS).feeds == {}
    await registry.here().close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """SQLite has one writer at a time: what several do to each other is tested on Postgres (tests/integration)."""
    if connection.vendor == "postgresql":
        return
    there = [item for item in items if item.get_closest_marker("postgres")]
    config.hook.pytest_deselected(items=there)
    items[:] = [item for item in items if item not in there]


@pytest.fixture(autouse=True)
def visitors_are_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tabs of topics.testing say and hear."""
    say, note = Visitor.say, Visitor._note

    def said(self: Visitor, **frame: Any) -> None:
        contract.said("topics", frame)
        say(self, **frame)

    def heard(self: Visitor, frame: Any) -> None:
        contract.heard("topics", frame)
        note(self, frame)

    monkeypatch.setattr(Visitor, "say", said)
    monkeypatch.setattr(Visitor, "_note", heard)

"""What probers are told."""

import asyncio
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from realtime import drain, health
from realtime.health import Checks, HealthMiddleware, State
from unit.realtime import asgi


@pytest.fixture(autouse=True)
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    """Of a process that has not been asked yet, whose Postgres and Redis are well."""
    fresh = Checks()
    monkeypatch.setattr(health, "checks", fresh)
    monkeypatch.setattr(Checks, "_ask_database", lambda self: None)
    monkeypatch.setattr(health, "ask_redis", lambda: None)
    yield fresh
    if fresh._latest:
        fresh._latest.result(5)


def fail() -> None:
    raise ConnectionError("postgres://user:password@host/")


def get(path: str) -> tuple[int, Any, str]:
    response = Client(headers={"host": "unknown.example"}).get(path)
    return response.status_code, response.json(), response.headers["Cache-Control"]


def test_a_process_is_alive_and_ready_under_any_host_and_without_https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert get("/health/live") == (200, {"status": "ok"}, "no-store")
    assert get("/health/ready") == (200, {"status": "ok"}, "no-store")


async def test_the_same_under_asgi() -> None:
    for path in ("/health/live", "/health/ready"):
        response = await AsyncClient().get(path, headers={"host": "unknown.example"})
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_without_redis_it_is_degraded_but_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ask_redis", fail)
    assert get("/health/ready")[:2] == (200, {"status": "degraded"})


def test_without_postgres_it_is_not_ready_but_alive(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Checks, "_ask_database", lambda self: fail())
    assert get("/health/ready")[:2] == (503, {"status": "degraded"})
    assert get("/health/live")[:2] == (200, {"status": "ok"})
    assert "Postgres: ConnectionError" in caplog.text
    assert "password" not in caplog.text


def test_while_draining_it_is_not_ready_but_alive(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(drain, "_draining", True)
    assert get("/health/ready")[:2] == (503, {"status": "draining"})
    assert get("/health/live")[:2] == (200, {"status": "draining"})
    assert caplog.text == ""


def test_other_paths_are_other_peoples() -> None:
    middleware = HealthMiddleware(lambda request: HttpResponse("page"))
    for path in ("/", "/health/", "/health/live/", "/healthy"):
        assert middleware(RequestFactory().get(path)).content == b"page"


@pytest.mark.parametrize("handler", [WSGIHandler, ASGIHandler])
def test_django_needs_no_adapter_for_it(handler: type, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "django.request")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        handler()
    assert "HealthMiddleware adapted" not in caplog.text


def test_a_flood_of_questions_is_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(Checks, "_ask_database", lambda self: asked.append(1))
    assert {get("/health/ready")[0] for _ in range(100)} == {200}
    assert len(asked) <= 2  # a hundred take less than two seconds


def test_an_answer_is_not_believed_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_KEPT_SECONDS", 0)
    assert get("/health/ready")[0] == 200
    monkeypatch.setattr(Checks, "_ask_database", lambda self: fail())
    assert get("/health/ready")[0] == 503


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """A Postgres that does not answer; how often it was asked."""
    goes_on, asked = threading.Event(), []

    def stall(self: Checks) -> None:
        asked.append(1)
        goes_on.wait(10)

    monkeypatch.setattr(Checks, "_ask_database", stall)
    monkeypatch.setattr(health, "CHECK_ANSWER_SECONDS", 0.1)
    yield lambda: len(asked)
    goes_on.set()


def test_a_postgres_that_stalls_costs_one_thread(stalled: Callable[[], int]) -> None:
    assert [get("/health/ready")[0] for _ in range(3)] == [503] * 3
    assert stalled() == 1


async def test_a_postgres_that_stalls_does_not_stall_the_loop(stalled: Callable[[], int]) -> None:
    answers = await asyncio.gather(*(health.ready_async() for _ in range(50)))
    assert set(answers) == {State(503, "degraded")}
    assert stalled() == 1


def test_a_check_that_fails_itself_is_not_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = Checks()
    monkeypatch.setattr(checks, "_ask", lambda: 1 / 0)
    assert checks.state().result(5) == State(503, "degraded")
    monkeypatch.setattr(checks, "_expires", 0.0)
    monkeypatch.setattr(checks, "_ask", lambda: (State(200, "ok"), ""))
    assert checks.state().result(5) == State(200, "ok")


@pytest.mark.django_db(transaction=True)
class TestTheDatabase:
    """The real questions, to the tests' database."""

    @pytest.fixture(autouse=True)
    def real(self, monkeypatch: pytest.MonkeyPatch, checks: Checks) -> None:
        monkeypatch.undo()

    def test_migrations_are_asked_for_until_they_are_complete(self, monkeypatch: pytest.MonkeyPatch) -> None:
        checks = Checks()
        checks._ask_database()
        assert checks._migrated
        monkeypatch.setattr(Checks, "_ask_for_migrations", lambda self: pytest.fail("asked again"))
        checks._ask_database()

    def test_a_missing_migration_is_not_ready(self) -> None:
        from django.db import connection
        from django.db.migrations.loader import MigrationLoader
        from django.db.migrations.recorder import MigrationRecorder

        recorder = MigrationRecorder(connection)
        last = MigrationLoader(connection).graph.leaf_nodes("rooms")[0]
        recorder.record_unapplied(*last)
        try:
            with pytest.raises(health.MigrationsMissing):
                Checks()._ask_for_migrations()
        finally:
            recorder.record_applied(*last)


async def test_the_health_socket_completes_a_handshake_and_leaves() -> None:
    prober = asgi.Client("/ws/health/")
    await prober.meets(health.health_socket)
    assert [message["type"] for message in prober.heard] == ["websocket.accept", "websocket.close"]
    assert prober.heard[1]["code"] == 1000


def test_the_answer_is_one_word() -> None:
    assert json.loads(health.respond(health.OK).content) == {"status": "ok"}  # type: ignore[attr-defined]

"""Pages while the database is away or full: a sentence for who reads them, and one line for who runs it."""

import logging
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import Error, InternalError, OperationalError
from django.test import Client
from psycopg import errors

from config import away
from realtime.seldom import Seldom
from rooms import views
from topics.storing import faults


@pytest.fixture(autouse=True)
def on_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "connection", SimpleNamespace(vendor="postgresql"))
    monkeypatch.setattr(away, "seldom", Seldom())


def look(monkeypatch: pytest.MonkeyPatch, error: Error, cause: psycopg.Error) -> int:
    """The status of a page whose query fails."""
    error.__cause__ = cause

    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(views, "listing", fails)
    page = Client(raise_request_exception=False).get("/")
    assert "Try again in a moment" in page.content.decode()
    assert page.has_header("Retry-After") == (page.status_code == 503)
    return page.status_code


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OperationalError("connection failed: sorry, too many clients"), psycopg.OperationalError()),
        (OperationalError("could not extend file"), errors.DiskFull()),
        (OperationalError("terminating connection"), errors.AdminShutdown()),
        (InternalError("cannot execute INSERT in a read-only transaction"), errors.ReadOnlySqlTransaction()),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.django_db
def test_a_database_that_is_away_or_full_is_a_page_and_one_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Error, cause: psycopg.Error
) -> None:
    for _ in range(3):
        assert look(monkeypatch, error, cause) == 503
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"pages are refused, as the database fails: {error}"
    ]


@pytest.mark.parametrize("cause", [errors.QueryCanceled(), errors.UndefinedTable(), errors.DeadlockDetected()])
@pytest.mark.django_db
def test_what_is_wrong_with_one_query_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, cause: psycopg.Error
) -> None:
    assert look(monkeypatch, OperationalError("canceling statement"), cause) == 500
    assert "Traceback" in caplog.text


@pytest.mark.django_db
def test_with_another_database_any_error_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(faults, "connection", SimpleNamespace(vendor="sqlite"))
    assert look(monkeypatch, OperationalError("no such table"), psycopg.OperationalError()) == 500
    assert "Traceback" in caplog.text

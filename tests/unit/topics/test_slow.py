"""Slow queries are named, and nothing of what people say in them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from realtime.seldom import Seldom
from topics.storing import slow


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    monkeypatch.setattr(slow, "_seldom", Seldom())
    return lambda: [record.getMessage() for record in caplog.records if record.name == slow.__name__]


def ask(sql: str, arguments: Any = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)


@pytest.mark.django_db
def test_a_slow_query_is_named_without_its_values(
    monkeypatch: pytest.MonkeyPatch, said: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(slow, "SLOW_SECONDS", 0.0)
    ask("SELECT 'alices ''words''',\n  %s, 4711", ["bobs words"])
    (line,) = said()
    assert line.endswith(" s: SELECT ?, %s, ?")


@pytest.mark.django_db
def test_a_query_that_fails_late_is_named_too(monkeypatch: pytest.MonkeyPatch, said: Callable[[], list[str]]) -> None:
    monkeypatch.setattr(slow, "SLOW_SECONDS", 0.0)
    with pytest.raises(Exception, match="nowhere"):
        ask("SELECT * FROM nowhere")
    assert len(said()) == 1


@pytest.mark.django_db
def test_it_is_said_once_and_a_quick_one_is_no_news(
    monkeypatch: pytest.MonkeyPatch, said: Callable[[], list[str]]
) -> None:
    ask("SELECT 1")
    assert said() == []
    monkeypatch.setattr(slow, "SLOW_SECONDS", 0.0)
    for number in range(9):
        ask(f"SELECT {number}")
    assert len(said()) == 1


@pytest.mark.django_db
def test_a_connection_that_is_opened_again_is_watched_once() -> None:
    connection.ensure_connection()
    slow.watch(connection=connection)
    assert connection.execute_wrappers.count(slow.timed) == 1

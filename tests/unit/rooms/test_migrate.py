"""`migrate` says what to do where Postgres does not let it in."""

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from rooms.management.commands import migrate

SAID = 'connection to server at "10.0.0.2", port 5432 failed: FATAL:  {} for user "rooms"'


def fails(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    def alone(database: str) -> None:
        raise OperationalError(SAID.format(why))

    monkeypatch.setattr(migrate, "alone", alone)


def test_a_password_that_postgres_does_not_take_is_a_sentence_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, "password authentication failed")
    with pytest.raises(CommandError, match=r"gone apart: `docker compose restart postgres redis web ws`"):
        call_command("migrate")


def test_any_other_failure_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, "too many connections")
    with pytest.raises(OperationalError, match="too many connections"):
        call_command("migrate")

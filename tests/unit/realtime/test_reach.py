"""What is said where the database lets nobody in."""

import pytest
from django.db import OperationalError
from django.test import override_settings

from realtime.reach import unreachable

SAID = 'connection to server at "10.0.0.2", port 5432 failed: FATAL:  {}'


def test_a_password_that_postgres_does_not_take_is_said_with_a_command() -> None:
    sentence = unreachable(OperationalError(SAID.format('password authentication failed for user "rooms"\n')))
    assert sentence.startswith("DATABASE_URL: the database cannot be reached: ")
    assert "have gone apart: `docker compose restart postgres redis web ws`" in sentence
    assert "\n" not in sentence


@override_settings(DATABASE_VARIABLE="MIGRATE_DATABASE_URL")
def test_the_variable_is_named_that_the_address_came_from() -> None:
    assert unreachable(OperationalError("refused")).startswith("MIGRATE_DATABASE_URL: the database cannot be reached")


@pytest.mark.parametrize("reason", ["sorry, too many clients already", "the database system is starting up"])
def test_any_other_reason_has_no_such_command(reason: str) -> None:
    assert unreachable(OperationalError(SAID.format(reason))).endswith(f"{reason}.")

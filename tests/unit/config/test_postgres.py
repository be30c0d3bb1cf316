"""What becomes of a connection to Postgres after an error: a fake driver's connection, and a fake pool."""

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import Error

from config.postgres.base import DatabaseWrapper


class Pool:
    def __init__(self) -> None:
        self.drained = 0
        self.given_back: list[Connection] = []

    def drain(self) -> None:
        self.drained += 1

    def putconn(self, connection: "Connection") -> None:
        self.given_back.append(connection)


class Connection:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.closed = False
        self.told: dict[str, str] = {}
        self.info = SimpleNamespace(parameter_status=self.told.get)

    def close(self) -> None:
        self.closed = True

    def cursor(self) -> Any:
        return psycopg.connect  # never called: whoever asks has an answer before


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def wrapper(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> DatabaseWrapper:
    monkeypatch.setattr(DatabaseWrapper, "pool", pool)
    monkeypatch.setattr(DatabaseWrapper, "_drained_at", 0.0)
    wrapper = DatabaseWrapper({"OPTIONS": {}, "NAME": "rooms", "TIME_ZONE": None})
    wrapper.connection = Connection(pool)
    return wrapper


def fails(wrapper: DatabaseWrapper, state: str | None) -> None:
    kind = psycopg.errors.lookup(state) if state else psycopg.OperationalError
    with pytest.raises(Error), wrapper.wrap_database_errors:
        raise kind("no")


@pytest.mark.parametrize("state", ["25006", "25P02", "57P01", "57P03", "0A000", "08P01", "26000", "XX000", "58030"])
def test_a_connection_that_has_shown_to_be_bad_is_closed_and_not_lent_again(
    wrapper: DatabaseWrapper, pool: Pool, state: str
) -> None:
    fails(wrapper, state)
    connection = wrapper.connection
    assert not wrapper.is_usable()
    wrapper._close()
    assert (connection.closed, pool.given_back) == (True, [connection])


@pytest.mark.parametrize("state", ["23505", "22P05", "55P03", "57014", "40001", "42P01", "53100"])
def test_an_error_that_says_nothing_of_the_connection_leaves_it_open(
    wrapper: DatabaseWrapper, pool: Pool, state: str
) -> None:
    fails(wrapper, state)
    connection = wrapper.connection
    wrapper._close()
    assert (connection.closed, pool.given_back) == (False, [connection])
    assert pool.drained == 0


@pytest.mark.parametrize("told", ["default_transaction_read_only", "in_hot_standby"])
def test_a_connection_that_cannot_write_is_not_lent_again_though_whoever_read_by_it_met_no_error(
    wrapper: DatabaseWrapper, pool: Pool, told: str
) -> None:
    connection = wrapper.connection
    connection.told[told] = "on"
    assert not wrapper.is_usable()
    wrapper._close()
    assert (connection.closed, pool.given_back) == (True, [connection])


def test_a_connection_that_can_write_again_stays(wrapper: DatabaseWrapper, pool: Pool) -> None:
    connection = wrapper.connection
    connection.told["default_transaction_read_only"] = "off"
    wrapper._close()
    assert not connection.closed


def test_what_was_wrong_with_one_connection_is_not_held_against_the_next(wrapper: DatabaseWrapper, pool: Pool) -> None:
    fails(wrapper, "25006")
    wrapper._close()
    wrapper.connection = after = Connection(pool)
    wrapper._close()
    assert not after.closed


def test_what_is_wrong_with_the_server_replaces_the_whole_pool_once_in_a_while(
    wrapper: DatabaseWrapper, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        fails(wrapper, "25006")
    assert pool.drained == 1
    monkeypatch.setattr(DatabaseWrapper, "_drained_at", 0.0)
    fails(wrapper, "57P01")
    assert pool.drained == 2
    fails(wrapper, "08006")
    assert pool.drained == 2


def test_the_settings_choose_it_for_postgres_alone(read: Any) -> None:
    assert read().DATABASES["default"]["ENGINE"] == "config.postgres"
    assert read(DATABASE_URL="sqlite:///x").DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"

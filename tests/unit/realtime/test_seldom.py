"""What may be said, when a stranger or a dead service gives cause to say it over and over."""

import logging
from collections.abc import Callable
from errno import ECONNREFUSED
from typing import Any

import pytest

from realtime import outage
from realtime.outage import Outage, kind
from realtime.seldom import Seldom, again


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seldom(clock: Clock) -> Seldom:
    return Seldom(seconds=60, different=3, now=clock)


def test_a_thing_is_said_once_a_minute_with_how_often_it_was_not(seldom: Seldom, clock: Clock) -> None:
    assert [seldom.due("a") for _ in range(4)] == [0, None, None, None]
    clock.now += 59
    assert seldom.due("a") is None
    clock.now += 1
    assert seldom.due("a") == 4
    assert again(4) == " (4 more times since this was last said)"


def test_different_things_do_not_hide_each_other(seldom: Seldom) -> None:
    assert [seldom.due(what) for what in "abc"] == [0, 0, 0]


def test_whoever_thinks_of_many_things_says_three_a_minute(seldom: Seldom, clock: Clock) -> None:
    said = [seldom.due(f"{number}") for number in range(1_000)]
    assert said.count(0) == 3
    assert len(seldom._said) == 3
    clock.now += 60
    assert [seldom.due(f"{number}") for number in range(1_000)].count(0) == 3
    assert len(seldom._said) == 3


# --- Outages ---------------------------------------------------------------------------------------


@pytest.fixture
def redis(clock: Clock) -> Outage:
    found = Outage("Redis at redis:6379")
    found._seldom = Seldom(now=clock)
    return found


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def test_an_outage_is_said_at_once_then_each_minute_and_when_it_is_over(
    redis: Outage, clock: Clock, said: Callable[[], list[str]]
) -> None:
    for _ in range(150):
        redis.failed(ConnectionError())
        clock.now += 1
    redis.answered()
    redis.answered()
    assert said() == [
        "Redis at redis:6379 does not answer: ConnectionError",
        "Redis at redis:6379 does not answer: ConnectionError (59 more times since this was last said)",
        "Redis at redis:6379 does not answer: ConnectionError (59 more times since this was last said)",
        "Redis at redis:6379 answers again",
    ]


def test_one_that_comes_and_goes_does_not_fill_the_log(redis: Outage, said: Callable[[], list[str]]) -> None:
    for _ in range(100):
        redis.failed(ConnectionError())
        redis.answered()
    assert len(said()) == 2


def test_an_error_is_named_by_its_kind_and_not_by_its_words() -> None:
    assert kind(ValueError("hunter2")) == "ValueError"
    error = RuntimeError("hunter2")
    error.__cause__ = OSError(ECONNREFUSED, "hunter2")
    assert kind(error) == "RuntimeError (Connection refused)"


def test_redis_is_named_by_its_place_alone(settings: Any) -> None:
    settings.REDIS_PLACE = "redis:6379"
    assert outage.layer()._service == "Redis at redis:6379"
    settings.REDIS_PLACE = ""
    assert outage.layer()._service == "the channel layer"

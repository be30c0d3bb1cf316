"""What is told to Sentry of an error that somebody logs, and what is not."""

import asyncio
import logging
from typing import Any

import pytest
from django.http import Http404
from sentry_sdk.utils import event_from_exception

from config.reporting import Reports
from realtime import failures, request_id
from topics import Refused
from topics.delivery.services import Denied

SECRET = "wine-at-eight"


class Sent(logging.Handler):
    """What the integration for logging makes of records, and what becomes of that."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reports = Reports("asgi")
        self.events: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        event: Any = {}
        hint: Any = {}
        if record.exc_info and record.exc_info[0]:
            event, hint = event_from_exception(record.exc_info)
        entry = {"message": record.msg, "formatted": record.getMessage(), "params": record.args}
        request = {"url": f"http://127.0.0.1/{SECRET}", "headers": {"Cookie": SECRET}, "query_string": SECRET}
        more = {"user": {"ip_address": SECRET}, "extra": {"owner": SECRET}, "breadcrumbs": {"values": [SECRET]}}
        event |= {"logger": record.name, "level": "error", "logentry": entry, "request": request, **more}
        if sent := self.reports(event, hint | {"log_record": record}):
            self.events.append(sent)


@pytest.fixture
def sent() -> Any:
    handler = Sent()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def fail(error: BaseException, *said: Any, name: str = "topics.storing.writer") -> None:
    try:
        raise error
    except BaseException:
        logging.getLogger(name).exception(*said)


def test_the_same_in_a_thousand_topics_is_one_report(sent: Sent) -> None:
    for number in range(1_000):
        fail(ValueError(f"no {number}"), "%s could not begin", f"topic {number}")
    fail(KeyError("x"), "%s could not begin", "topic 1")
    fail(ValueError("x"), "%s could not end", "topic 1")
    assert [event["fingerprint"][:2] for event in sent.events] == [
        ["%s could not begin", "ValueError"],
        ["%s could not begin", "KeyError"],
        ["%s could not end", "ValueError"],
    ]


def test_however_many_kinds_there_are_few_are_told(sent: Sent) -> None:
    for number in range(1_000):
        fail(ValueError(), f"sentence {number}")
    assert len(sent.events) == 50


def test_failures_of_tasks_are_told_apart_by_what_failed(sent: Sent) -> None:
    failures.report("a follower", ValueError(SECRET[:3]))
    failures.report("the hub's clock", ValueError(SECRET[:3]))
    assert [event["logentry"]["message"] for event in sent.events] == [
        "failed: a follower: ValueError",
        "failed: the hub's clock: ValueError",
    ]


def test_an_error_is_about_a_request_and_nobody(sent: Sent) -> None:
    with request_id.concerning(["alices-id", "bobs-id"]):
        fail(ValueError(f"invalid row\nDETAIL: Failing row contains {SECRET}."), "%s has failed", SECRET)
    [event] = sent.events
    assert event["tags"] == {"role": "asgi", "request_id": "alices-id"}
    assert event["exception"]["values"][0]["value"] == "invalid row"
    assert SECRET not in str({name: value for name, value in event.items() if name != "exception"})


@pytest.mark.parametrize(
    "error",
    [
        Refused("Not this."),
        Denied("forbidden", "You may read this topic only."),
        Http404(),
        ConnectionResetError(),
        BrokenPipeError(),
        asyncio.CancelledError(),
    ],
)
def test_refusals_and_clients_that_go_are_no_errors(sent: Sent, error: BaseException) -> None:
    fail(error, "the application failed: %s", type(error).__name__, name="uvicorn.error")
    assert sent.events == []


def test_what_strangers_ask_for_is_no_error(sent: Sent) -> None:
    fail(ValueError(), "Invalid HTTP_HOST header", name="django.security.DisallowedHost")
    assert sent.events == []

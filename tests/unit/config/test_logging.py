"""What a process says, and what it keeps to itself."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.logging import QUIET, logging_for

Said = Callable[[], str]


@pytest.fixture
def configured() -> Iterator[Callable[[str], Said]]:
    """Logging as a process has it, said into a string."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def configure(kind: str) -> Said:
        stream = io.StringIO()
        config: dict[str, Any] = logging_for(kind)
        config["handlers"]["stderr"]["stream"] = stream
        logging.config.dictConfig(config)
        return stream.getvalue

    yield configure
    root.handlers, root.level = before[0], before[1]


def test_json_is_one_object_a_line(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    logging.getLogger("realtime.hub").warning("room %s: 你好", 5)
    line = json.loads(said())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "warning", "logger": "realtime.hub", "message": "room 5: 你好"}
    assert "你好" in said()


def test_an_error_carries_its_traceback_and_no_values(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    body = "a secret " + "body"
    try:
        raise ArithmeticError
    except ArithmeticError:
        logging.getLogger("rooms").exception("failed")
    assert body
    assert "ArithmeticError" in json.loads(said())["exception"]
    assert "a secret body" not in said()


@pytest.mark.parametrize("kind", ["json", "console"])
def test_what_django_attaches_to_a_record_is_not_said(configured: Callable[[str], Said], kind: str) -> None:
    said = configured(kind)
    extra = {"request": "<WSGIRequest: GET '/?token=secret'>", "status_code": 500}
    logging.getLogger("django.request").error("Internal Server Error: %s", "/", extra=extra)
    assert "Internal Server Error: /" in said()
    assert "secret" not in said()


@pytest.mark.parametrize("name", [*QUIET, "daphne.ws_protocol"])
def test_libraries_do_not_tell_of_single_connections(configured: Callable[[str], Said], name: str) -> None:
    said = configured("console")
    logging.getLogger(name).info("GET /?token=secret")
    assert said() == ""
    logging.getLogger(name).warning("worth knowing")
    assert "worth knowing" in said()


def test_what_visitors_do_wrong_is_not_news(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    logging.getLogger("django.request").warning("Not Found: /wp-login.php")
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header: 'evil'")
    logging.getLogger("gunicorn.access").info("GET /?token=secret")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert said() == ""


def test_an_address_is_said_without_its_query(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    logging.getLogger("gunicorn.error").error("Error handling request %s %s", "GET", "/room/lobby/?token=secret&x=1")
    assert json.loads(said())["message"] == "Error handling request GET /room/lobby/"
    logging.getLogger("rooms").warning("really? yes")
    assert "really? yes" in said()


def test_lines_that_a_stranger_writes_at_will_are_not_written(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    logging.getLogger("gunicorn.error").warning("Invalid request from ip=%s: %s", "192.0.2.1", "x" * 4000)
    logging.getLogger("gunicorn.http.wsgi").warning("WSGI app sent body bytes on a no-body response")
    logging.getLogger("django.security.csrf").warning("Forbidden (CSRF cookie not set.): /")
    logging.getLogger("django.security.TooManyFieldsSent").error("The number of GET/POST parameters exceeded")
    assert said() == ""
    logging.getLogger("gunicorn.error").warning("Worker was terminated due to signal 9")
    assert "signal 9" in said()


def failing(depth: int) -> None:
    """A long traceback of many different lines, for a chain of causes."""
    try:
        if depth:
            failing(depth - 1)
        raise ArithmeticError("the first cause" if not depth else "a cause" + "x" * 1000)
    except (ArithmeticError, LookupError) as error:
        raise LookupError(f"failed at {depth}") from error


@pytest.mark.parametrize("kind", ["json", "console"])
@pytest.mark.parametrize("logger", ["rooms", "django.request", "gunicorn.error", "twisted", "uvicorn.error", "asyncio"])
def test_no_exception_fills_the_log(configured: Callable[[str], Said], kind: str, logger: str) -> None:
    said = configured(kind)
    try:
        failing(60)
    except LookupError:
        logging.getLogger(logger).exception("failed: %s", "y" * 100_000)
    assert len(said()) < 12_000
    assert "the first cause" in said()
    assert "failed at 60" in said()
    assert "left out" in said()


def test_a_short_line_is_said_as_it_is(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    logging.getLogger("rooms").warning("x" * 2_000)
    assert json.loads(said())["message"] == "x" * 2_000

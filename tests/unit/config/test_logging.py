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

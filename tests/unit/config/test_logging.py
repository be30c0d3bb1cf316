"""What a process says, and what it keeps to itself."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError

from config.logging import QUIET, RETRYING, logging_for

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


@pytest.mark.parametrize(
    ("said_by_a_library", "written"),
    [
        ("< Authorization: Bearer abc.def-ghi", "< Authorization: Bearer (secret)"),
        (
            "< Sec-WebSocket-Protocol: topics.v1, bearer.dG9w, x",
            "< Sec-WebSocket-Protocol: topics.v1, bearer.(secret), x",
        ),
        (f"ticket_{'a-_4' * 10} in the middle", "(secret) in the middle"),
        (f"?token=topics_{'a-_4' * 10}", "?token=(secret)"),
        ("the topics_list is short", "the topics_list is short"),
    ],
)
@pytest.mark.parametrize("kind", ["json", "console"])
def test_what_opens_a_door_is_not_written(
    configured: Callable[[str], Said], kind: str, said_by_a_library: str, written: str
) -> None:
    said = configured(kind)
    logging.getLogger("rooms").warning(said_by_a_library)
    assert written in said()


@pytest.mark.parametrize(
    "behind",
    [
        "DETAIL:  Failing row contains (1, {words}).",
        "LINE 1: INSERT INTO said VALUES (E'{words}')\n                     ^\nHINT:  Try again, \"{words}\".",
        "CONTEXT:  SQL statement {words}",
    ],
)
def test_an_error_of_postgres_says_what_went_wrong_and_not_with_whose_words(
    configured: Callable[[str], Said], behind: str
) -> None:
    said = configured("json")
    told = f"duplicate key\n{behind.format(words='somebodys' + chr(10) + 'words')}"
    try:
        try:
            raise psycopg.errors.UniqueViolation(told)
        except psycopg.Error as error:
            raise IntegrityError(told) from error
    except IntegrityError as error:
        logging.getLogger("rooms").warning("not stored: %s", error)
        logging.getLogger("rooms").exception("not stored")
    assert "somebodys" not in said()
    warning, traceback = (json.loads(line) for line in said().splitlines())
    assert warning["message"] == "not stored: duplicate key"
    assert traceback["exception"].count("duplicate key") == 2
    assert "IntegrityError" in traceback["exception"]


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


def lines(said: Said) -> list[str]:
    return [json.loads(line)["message"] for line in said().splitlines()]


def test_a_page_under_an_unknown_host_is_said_once_with_what_to_do(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    for _ in range(100):
        refused_host("rooms.example.org", "rooms.example.org:8080")
    (line,) = lines(said)
    assert line == (
        "a page was refused: 'rooms.example.org' is not in ALLOWED_HOSTS; add it there if it is a name of this site"
    )


def test_a_host_that_no_setting_admits_is_said_as_such(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    message = "Invalid HTTP_HOST header: 'my_rooms'. The domain name provided is not valid according to RFC 1034/1035."
    logging.getLogger("django.security.DisallowedHost").error(message)
    (line,) = lines(said)
    assert "my_rooms" in line
    assert "is no host name" in line


def test_a_scanner_that_thinks_of_many_hosts_does_not_fill_the_log(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    for number in range(1_000):
        refused_host(f"{number}.example", "x" * 10_000)
    assert len(lines(said)) == 20
    assert len(said()) < 20_000


def refused_host(name: str, header: str) -> None:
    message = f"Invalid HTTP_HOST header: {header!r}. You may need to add {name!r} to ALLOWED_HOSTS."
    try:
        raise ValueError(message)
    except ValueError:
        logging.getLogger("django.security.DisallowedHost").exception(message)


def test_a_form_of_a_foreign_page_is_said_once_with_what_to_do(configured: Callable[[str], Said]) -> None:
    said = configured("json")
    reason = "Origin checking failed - https://friend.example does not match any trusted origins."
    for path in ("/room/a/", "/room/b/"):
        logging.getLogger("django.security.csrf").warning("Forbidden (%s): %s", reason, path)
    logging.getLogger("django.security.csrf").warning("Forbidden (%s): %s", "CSRF token missing.", "/")
    foreign, missing = lines(said)
    assert "https://friend.example" in foreign
    assert "ALLOWED_ORIGINS" in foreign
    assert "ALLOWED_ORIGINS" not in missing


@pytest.mark.parametrize("name", RETRYING)
def test_a_library_that_tries_again_every_second_says_so_once_and_quotes_no_server(
    configured: Callable[[str], Said], name: str
) -> None:
    said = configured("json")
    for _ in range(60):
        try:
            raise ConnectionError("unknown command 'AUTH', with args beginning with: 'hunter2'")
        except ConnectionError:
            logging.getLogger(name).exception("Unexpected exception in receive task")
    (line,) = lines(said)
    assert line == "Unexpected exception in receive task: ConnectionError"
    assert "hunter2" not in said()

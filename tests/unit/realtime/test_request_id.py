"""Which id is in the log, and about whom a line is."""

import asyncio
import re
from typing import Any

import pytest

from config.logging import with_id
from realtime import failures, request_id
from topics.storing import database
from unit.realtime.asgi import Client

OWN = re.compile("[0-9a-f]{32}")
BY_NGINX = "0123456789abcdef" * 2
BY_HEROKU = "9c5d1e1a-67e5-4b3a-9d5b-0d1f1f8a2c11"


def ids() -> dict[str, Any]:
    return with_id(None, "", {})


@pytest.fixture(autouse=True)
def nobody() -> None:
    request_id.current.set("")


def told(hops: int, **headers: str) -> str:
    """What is in the lines of an application that both kinds of servers call."""
    seen: list[str] = []

    def application(*_: Any) -> list[bytes]:
        seen.append(ids()["id"])
        return []

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request_id.over_asgi(application, hops)(Client(headers=named).scope, None, None)
    environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    request_id.over_wsgi(application, hops)(environ, None)
    asgi, wsgi = (("(own)" if OWN.fullmatch(id) and id not in headers.values() else id) for id in seen)
    assert asgi == wsgi
    return asgi


@pytest.mark.parametrize("given", [BY_NGINX, BY_HEROKU])
def test_the_proxys_id_is_taken_over(given: str) -> None:
    assert told(1, X_Request_Id=given) == given


@pytest.mark.parametrize("given", ["", "short", "x" * 201, "a line\r\nof mallory's", "ä" * 10, 'a"b"c"d"e'])
def test_what_is_no_id_is_replaced(given: str) -> None:
    assert told(1, X_Request_Id=given) == "(own)"


def test_a_client_without_a_proxy_is_not_believed() -> None:
    assert told(0, X_Request_Id=BY_NGINX) == "(own)"
    assert told(0) == told(1) == "(own)"


def test_where_nobody_is_concerned_nobody_is_named() -> None:
    assert ids() == {}


def test_several_are_named_once_each_and_not_without_end() -> None:
    with request_id.concerning(["alice", "", "bob", "alice"]):
        assert ids() == {"ids": ["alice", "bob"]}
    with request_id.concerning(["alice", "alice", ""]):
        assert ids() == {"id": "alice"}
    with request_id.concerning([f"request-{number}" for number in range(500)]):
        assert len(ids()["ids"]) == request_id.MOST_NAMED
    assert ids() == {}


async def test_work_in_the_databases_threads_is_hers_and_what_serves_all_is_nobodys() -> None:
    request_id.current.set("alice")
    assert await database.run(database.readers, ids) == {"id": "alice"}
    found: list[dict[str, Any]] = []

    async def look() -> None:
        found.append(ids())

    await failures.keep("a look", look)
    assert found == [{}]
    assert await asyncio.create_task(found_by_a_task()) == {"id": "alice"}


async def found_by_a_task() -> dict[str, Any]:
    return ids()

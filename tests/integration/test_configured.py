"""What the settings do to a server: how it knows TLS and addresses, what it says where they do not fit."""

import asyncio
import http.client
import json
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from client import Socket, dial, enter, new_room, room_path
from servers.app import Image, Server, environment
from servers.ports import free_port
from servers.redis import Redis
from servers.stack import SERVERS

SECONDS = 60
Start = Callable[..., Server]


@pytest.fixture(scope="module")
def database(image: Image, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('database')}/rooms.db"
    image.migrate(environment(DATABASE_URL=url))
    return url


@pytest.fixture
def start(image: Image, database: str) -> Iterator[Start]:
    started: list[Server] = []

    def start(kind: str, *, wait: bool = True, **variables: str) -> Server:
        env = environment(DATABASE_URL=database, **variables)
        server = image.ws(kind, env | {"WS_SERVER": kind}) if kind in SERVERS else image.web(env)
        started.append(server)
        server.launch()
        if wait:
            server.wait_ready()
        return server

    yield start
    for server in started:
        server.kill()


def lines(server: Server, words: str, least: int = 1) -> list[str]:
    """What the server has said with these words in it, once there are so many lines of it."""
    deadline = time.monotonic() + SECONDS
    while True:
        said = [json.loads(line)["message"] for line in server.output().splitlines() if line.startswith("{")]
        found = [line for line in said if words in line]
        if len(found) >= least:
            return found
        assert time.monotonic() < deadline, f"no {words!r}:\n{server.output()}"
        time.sleep(0.02)


async def status(server: Server, **headers: str) -> int:
    """Of a refused handshake; 101 where it was let in."""
    try:
        async with await enter(server.ws_url, new_room(), headers=named(headers)):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


# --- TLS and addresses, as proxies tell of them ----------------------------------------------------


@pytest.mark.parametrize("kind", SERVERS)
async def test_where_https_is_on_a_socket_without_tls_is_refused(image: Image, start: Start, kind: str) -> None:
    server = start(kind, HTTPS="1", PROXY_HOPS="1")
    for headers in ({}, {"X_Forwarded_Proto": "http"}, {"X_Forwarded_Proto": "ws"}):
        assert await status(server, **headers) == 403
    for word in ("https", "wss", "WSS", "on", "HTTPS"):
        secure = {"X_Forwarded_Proto": word, "Origin": f"https://127.0.0.1:{server.port}"}
        assert await status(server, **secure) == 101
        assert await status(server, **secure | {"Origin": server.url}) == 403
    assert len(lines(server, "a socket without TLS was refused")) == 1
    check = [sys.executable, "-I", "-S", "realtime/check.py", "ws"]
    await asyncio.to_thread(subprocess.run, check, cwd=image.app, env={"PORT": str(server.port)}, check=True)


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_client_has_one_address_whatever_port_the_proxy_adds(start: Start, kind: str) -> None:
    server = start(kind, PROXY_HOPS="1", SOCKETS_PER_ADDRESS="1")
    for first, second in (("198.51.100.7:1", "198.51.100.7:2"), ("[2001:db8::7]:1", "2001:db8::7")):
        async with await enter(server.ws_url, new_room(), headers={"X-Forwarded-For": first}):
            alice = Socket(await dial(server.ws_url + room_path(new_room()), headers={"X-Forwarded-For": second}))
            assert await alice.closed() == 4529


# --- What does not fit is named ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_refused_socket_is_in_the_log_with_what_to_add_where(start: Start, kind: str) -> None:
    server = start(kind, ALLOWED_HOSTS="127.0.0.1")
    for _ in range(3):
        assert await status(server, Origin="https://friend.example") == 403
    (line,) = lines(server, "friend.example")
    assert "ALLOWED_ORIGINS" in line


@pytest.mark.parametrize("kind", [*SERVERS, "gunicorn"])
def test_a_refused_page_is_in_the_log_with_what_to_add_where(start: Start, kind: str) -> None:
    server = start(kind, REDIS_URL=f"redis://127.0.0.1:{free_port()}", WEB_CONCURRENCY="1")
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
        connection.request("GET", "/", headers={"Host": "rooms.example.org:8080"})
        assert connection.getresponse().status == 400
        connection.close()
    (line,) = lines(server, "rooms.example.org")
    assert "add it there if it is a name of this site" in line
    assert "Traceback" not in server.output()


# --- No part of a secret -----------------------------------------------------------------------------

PASSWORD = "hunter7/sword9#fish8?tail6@end5"


def parts(text: str) -> list[str]:
    return [part for part in re.split(r"\W", PASSWORD) if part in text]


@pytest.mark.parametrize("kind", [*SERVERS, "gunicorn"])
@pytest.mark.parametrize("name", ["REDIS_URL", "DATABASE_URL", "SECRET_KEY", "SENTRY_DSN"])
def test_a_server_that_cannot_be_told_what_is_meant_ends_and_shows_no_secret(
    image: Image, start: Start, name: str, kind: str
) -> None:
    values = {
        "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:6379/0",
        "DATABASE_URL": f"postgres://rooms:{PASSWORD}@127.0.0.1:5432/rooms",
        "SECRET_KEY": PASSWORD,
        "SENTRY_DSN": f"https://{PASSWORD}@sentry.example/x",
    }
    env = environment(DATABASE_URL="sqlite:////tmp/never-opened.db", WS_SERVER=kind if kind in SERVERS else "daphne")
    server = image.ws(kind, env | {name: values[name]}) if kind in SERVERS else image.web(env | {name: values[name]})
    server.launch()
    assert server.wait_end(SECONDS) in (1, 2)
    assert server.output().startswith(f"{name} ")
    assert server.output().count("\n") == 1
    assert parts(server.output()) == []


class Repeating(socketserver.BaseRequestHandler):
    """A Redis that knows no passwords says so, and with which words it was asked."""

    def handle(self) -> None:
        while asked := self.request.recv(65_536):
            words = b" ".join(word for word in asked.split(b"\r\n") if not word.startswith((b"*", b"$")))
            self.request.sendall(b"-ERR unknown command, with args beginning with: " + words + b"\r\n")


@pytest.fixture
def repeating() -> Iterator[str]:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Repeating) as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_redis_that_repeats_the_password_is_named_once_and_not_quoted(
    start: Start, repeating: str, kind: str
) -> None:
    escaped = PASSWORD.replace("/", "%2F").replace("#", "%23").replace("?", "%3F").replace("@", "%40")
    server = start(kind, REDIS_URL=f"redis://:{escaped}@{repeating}/0")
    room = new_room()
    async with await enter(server.ws_url, room) as alice, await enter(server.ws_url, room) as bob:
        for number in range(4):  # each is tried twice, and then again a second later
            await alice.say(f"{number}")
            await bob.hears(f"{number}")
        assert len(lines(server, f"Redis at {repeating} does not answer")) == 1
        (line,) = lines(server, f"REDIS_URL: Redis at {repeating} cannot be reached")
    assert "Error" in line
    assert "Traceback" not in server.output()
    assert parts(server.output()) == []


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_redis_that_is_back_is_named(start: Start, kind: str, request: Any) -> None:
    redis = Redis()
    server = start(kind, REDIS_URL=redis.url)
    async with await enter(server.ws_url, new_room()):
        (away,) = lines(server, f"Redis at 127.0.0.1:{redis.port} does not answer")
        assert "Connection refused" in away
        redis.start()
        request.addfinalizer(redis.kill)
        lines(server, f"Redis at 127.0.0.1:{redis.port} answers again")

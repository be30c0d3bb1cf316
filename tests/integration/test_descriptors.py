"""A machine that allows few open files: whoever is inside talks on, and whoever does not fit is told so."""

import asyncio
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from client import enter, new_room
from servers.app import Image, Server, environment
from servers.postgres import Postgres
from servers.stack import SERVERS

MANY = 400
SECONDS = 30
HANDSHAKE = (
    "GET /ws/room/crowd/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
Start = Callable[..., Server]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, postgres: Postgres, image: Image, tmp_path: object) -> str:
    if request.param == "postgres":
        url = postgres.create_database(f"rooms-{secrets.token_hex(4)}")
    else:
        url = f"sqlite:///{tmp_path}/rooms.db"
    image.migrate(environment(DATABASE_URL=url))
    return url


@pytest.fixture
def start(image: Image) -> Iterator[Start]:
    """A server that may open so many files, by the limit that it may raise and the one that it may not."""
    started: list[Server] = []

    def start(kind: str, soft: int, hard: int, **variables: str) -> Server:
        server = image.ws(kind, environment(WS_SERVER=kind, **variables))
        server.command = ["bash", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$0" "$@"', *server.command]
        started.append(server)
        server.launch()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_crowd_is_refused_in_words_and_those_inside_talk_on(start: Start, database: str, kind: str) -> None:
    server = start(kind, 100, 100, DATABASE_URL=database)
    server.wait_ready()
    room = new_room()
    async with await enter(server.ws_url, room) as alice, await enter(server.ws_url, room) as bob:
        clients = await asyncio.gather(*(knock(server.port) for _ in range(MANY)))
        answers = Counter(status for status, _ in clients)
        assert set(answers) == {"101", "503"}, answers
        for number in range(5):
            assert await asyncio.to_thread(server.health, "live") == 200
            assert await asyncio.to_thread(server.health, "ready") == 200
            await alice.say(f"{number}")
            await bob.hears(f"{number}")
        for _, writer in clients:
            writer.close()
    said = server.output()
    assert said.count("MAX_SOCKETS is 10000, but the limit of open files is 100: at most ") == 1
    assert f"at most {answers['101'] + 2} sockets" in said
    assert said.count("the open files run out") <= 1
    assert "Traceback" not in said


async def knock(port: int) -> tuple[str, asyncio.StreamWriter]:
    """The status of a handshake, and the connection, which stays open."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HANDSHAKE.encode())
        return (await reader.readline()).decode().split()[1], writer


@pytest.mark.parametrize("kind", SERVERS)
async def test_clients_that_say_nothing_do_not_take_the_last_descriptors(
    start: Start, database: str, kind: str
) -> None:
    server = start(kind, 100, 100, DATABASE_URL=database)
    server.wait_ready()
    room = new_room()
    async with await enter(server.ws_url, room) as alice, await enter(server.ws_url, room) as bob:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MANY)]
        for number in range(20):
            await alice.say(f"{number}")
            await bob.hears(f"{number}")
        for client in silent:
            client.close()
        async with asyncio.timeout(SECONDS):
            while await asyncio.to_thread(server.health, "ready") != 200:
                await asyncio.sleep(0.05)
    assert server.output().count("the open files run out") == 1
    assert "Traceback" not in server.output()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_limit_that_may_be_raised_is_raised(start: Start, image: Image, tmp_path: object, kind: str) -> None:
    url = f"sqlite:///{tmp_path}/rooms.db"
    image.migrate(environment(DATABASE_URL=url))
    server = start(kind, 100, 2_000, DATABASE_URL=url, MAX_SOCKETS="1000")
    server.wait_ready()
    assert "MAX_SOCKETS" not in server.output()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_limit_that_lets_nobody_in_is_a_sentence(start: Start, kind: str) -> None:
    server = start(kind, 50, 50, DATABASE_URL="sqlite:////tmp/never-opened.db")
    assert server.wait_end(SECONDS) == 2
    assert server.output().startswith("The limit of open files (ulimit -n) is 50: at least ")
    assert server.output().count("\n") == 1

"""A crowd at the door of a process that is full, or leaves: whoever gets a connection gets an answer."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from servers.app import Image, Server, environment
from servers.stack import SERVERS

CROWD = 500
ROOM = 50
SECONDS = 60
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
ENDED = "ended without an answer"


@pytest.fixture(scope="module")
def env(image: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    url = f"sqlite:///{tmp_path_factory.mktemp('database')}/rooms.db"
    env = environment(DATABASE_URL=url, PROXY_HOPS="1", MAX_SOCKETS=str(ROOM), DRAIN_SECONDS="1")
    image.migrate(env)
    return env


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, image: Image, env: dict[str, str]) -> Iterator[Server]:
    server = image.ws(request.param, {**env, "WS_SERVER": request.param})
    server.start()
    yield server
    server.kill()


async def knock(port: int, path: str = "/ws/room/crowd/") -> str:
    """The status of the answer; nothing where there was no connection to ask over."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return ""
    try:
        writer.write(HANDSHAKE.format(path=path).encode())
        return ((await reader.readline()).decode().split() or ["", ENDED])[1]
    except ConnectionError:
        return ENDED
    finally:
        writer.close()


async def knock_on(port: int, answers: "Counter[str]") -> None:
    """Again and again, without waiting, until nobody listens any more."""
    async with asyncio.timeout(SECONDS):
        while answer := await knock(port):
            answers[answer] += 1


async def test_a_full_process_answers_everybody_who_comes_at_once(server: Server) -> None:
    inside = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(ROOM)]
    for reader, writer in inside:
        writer.write(HANDSHAKE.format(path="/ws/room/crowd/").encode())
        assert b" 101 " in await reader.readline()
    assert Counter(await asyncio.gather(*(knock(server.port) for _ in range(CROWD)))) == {"503": CROWD}
    for _, writer in inside:
        writer.close()


async def test_those_who_wait_at_the_door_when_a_process_is_told_to_leave_are_answered(server: Server) -> None:
    """They ask for a room of no app, so nobody stays who would have to be waited for."""
    server.pause()
    crowd = [asyncio.create_task(knock(server.port, "/ws/nowhere/")) for _ in range(CROWD)]
    async with asyncio.timeout(SECONDS):
        while await asyncio.to_thread(server.connections) < CROWD:
            await asyncio.sleep(0.05)
    server.signal(signal.SIGTERM)
    server.resume()
    assert set(await asyncio.gather(*crowd)) <= {"101", "503"}
    assert await asyncio.to_thread(server.wait_end, SECONDS) == 0


async def test_a_process_that_leaves_answers_until_nobody_can_connect(server: Server) -> None:
    """It has no sockets to say goodbye to, or soon none: nothing else makes it wait for those who come."""
    answers: Counter[str] = Counter()
    crowd = [asyncio.create_task(knock_on(server.port, answers)) for _ in range(CROWD)]
    async with asyncio.timeout(SECONDS):
        while answers.total() < CROWD:
            await asyncio.sleep(0.01)
    assert await asyncio.to_thread(server.stop) == 0
    await asyncio.gather(*crowd)
    assert set(answers) <= {"101", "503"}, answers
    assert answers["503"] > 0
    assert "Traceback" not in server.output()

"""A running stack for each of the two WebSocket servers."""

from collections.abc import Callable, Iterator

import pytest

from servers.app import Image
from servers.postgres import Postgres
from servers.small import Server
from servers.stack import SERVERS, Stack

FRIEND = "https://friend.example"


@pytest.fixture(scope="session")
def stacks(
    image: Image, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Stack]]:
    """By the name of the server, started when it is first asked for. Both stay: files of tests take turns with them."""
    started: dict[str, Stack] = {}

    def stack(server: str) -> Stack:
        if server not in started:
            more = {"ALLOWED_ORIGINS": FRIEND, "STORAGE_URL": f"file://{tmp_path_factory.mktemp('files')}"}
            started[server] = Stack(image, postgres, 2 * [server], WS_ECHO="1", **more)
            started[server].start()
        return started[server]

    yield stack
    for each in started.values():
        each.stop()


@pytest.fixture(scope="session", params=SERVERS)
def stack(request: pytest.FixtureRequest, stacks: Callable[[str], Stack]) -> Stack:
    """Shared by all tests that harm nobody."""
    return stacks(request.param)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    """One of the module's own, for who changes it."""
    cluster = Postgres()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(params=["daphne", "uvicorn"])
def start(request: pytest.FixtureRequest) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*options: str, wait: bool = True) -> Server:
        server = Server(request.param, *options)
        started.append(server)
        server.launch()
        if wait:
            server.wait_ready()
        return server

    yield start
    for server in started:
        if server.alive:
            server.kill()

"""A running stack for each of the two WebSocket servers."""

from collections.abc import Callable, Iterator

import pytest

from servers.app import Image
from servers.postgres import Postgres
from servers.small import Server
from servers.stack import SERVERS, Stack

FRIEND = "https://friend.example"


@pytest.fixture(scope="session", params=SERVERS)
def stack(request: pytest.FixtureRequest, image: Image, postgres: Postgres) -> Iterator[Stack]:
    """Shared by all tests that harm nobody."""
    with Stack(image, postgres, 2 * [request.param], WS_ECHO="1", ALLOWED_ORIGINS=FRIEND) as running:
        yield running


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

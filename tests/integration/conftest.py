"""A running stack for each of the two WebSocket servers."""

from collections.abc import Iterator

import pytest

from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

FRIEND = "https://friend.example"


@pytest.fixture(scope="session", params=SERVERS)
def stack(request: pytest.FixtureRequest, image: Image, postgres: Postgres) -> Iterator[Stack]:
    """Shared by all tests that harm nobody."""
    with Stack(image, postgres, 2 * [request.param], WS_ECHO="1", ALLOWED_ORIGINS=FRIEND) as running:
        yield running

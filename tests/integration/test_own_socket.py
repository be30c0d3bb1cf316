"""The socket of one's own in docs/realtime.md, pasted where it says by somebody who reads no further."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Socket, dial
from guides.checkout import section
from servers.app import Image, Server, environment
from servers.stack import SERVERS


@pytest.fixture(scope="module")
def changed() -> Image:
    """The application with what the page says."""
    image = Image()
    for block in section("docs/realtime.md", "A consumer").blocks:
        block.put(image.app.parent)
    return image


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, changed: Image, tmp_path: Path) -> Iterator[Server]:
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3", WS_SERVER=request.param, DRAIN_SECONDS="0")
    changed.migrate(env)
    server = changed.ws("own-socket", env)
    server.start()
    yield server
    server.stop()


async def test_it_answers(server: Server) -> None:
    connection = await dial(f"{server.ws_url}/ws/shout/")
    await connection.send("hear me")
    assert await connection.recv() == "HEAR ME"
    await connection.close()


async def test_what_is_no_route_is_still_told_so(server: Server) -> None:
    assert await Socket(await dial(f"{server.ws_url}/ws/whisper/")).closed() == 4404

"""A stream on which nothing happens, behind a router that cuts what is silent as Heroku's does."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

import pytest

from servers.app import FOREIGN_APP, Image, Server, environment
from servers.stack import SERVERS
from stack.heroku.requests import read_head
from stack.heroku.router import Router

FIRST_BYTE, SILENCE = 30.0, 10.0  # of the router, where Heroku has 30 and 55
PING = 1  # seconds, where the server has 20


@pytest.fixture(scope="module")
def quiet() -> Image:
    """An application that says nothing of quiet logs, and so has nothing but its keep-alives to break the silence."""
    image = Image()
    limits = image.app / "realtime" / "limits.py"
    text = re.sub(r"^PING_SECONDS = \d+", f"PING_SECONDS = {PING}", limits.read_text(), flags=re.MULTILINE)
    text, found = re.subn(r"^SEQ_SECONDS = .*", "SEQ_SECONDS = 3_600", text, flags=re.MULTILINE)
    assert found == 1
    limits.write_text(text)
    return image


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, quiet: Image, tmp_path: Path) -> Iterator[Server]:
    env = environment(
        DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3",
        WS_SERVER=request.param,
        DRAIN_SECONDS="0",
        **FOREIGN_APP,
    )
    quiet.migrate(env)
    server = quiet.ws("quiet", env)
    server.start()
    yield server
    server.stop()


async def test_a_quiet_stream_is_not_cut_by_herokus_router(server: Server) -> None:
    router = Router(lambda: ("127.0.0.1", server.port), FIRST_BYTE, SILENCE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await router.serve(await read_head(reader), reader, writer)
        writer.close()

    async with AsyncExitStack() as opened:
        edge = await opened.enter_async_context(await asyncio.start_server(serve, "127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(*edge.sockets[0].getsockname())
        opened.callback(writer.close)
        writer.write(b"GET /topics/votes/open HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        began = monotonic()
        comments = 0
        while monotonic() - began < 1.5 * SILENCE:
            line = await asyncio.wait_for(reader.readline(), SILENCE)
            assert line, "the router has cut the stream"
            comments += line.startswith(b":")
        assert comments >= 2

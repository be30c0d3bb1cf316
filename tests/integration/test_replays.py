"""Many who ask for all they missed and read none of it: the process grows by little, and who reads gets everything."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

from client import enter, new_room, room_path
from servers.app import Image, Server, environment
from servers.ports import free_port
from servers.stack import SERVERS
from slow import counted, growth, small_line
from talkers import Talker

pytestmark = pytest.mark.slow

KIB, MIB = 2**10, 2**20
BODY = "🍵" * 4_000
MISSED = 900  # messages, some 14 MiB for each who asks: more than the kernel keeps for a client
CROWD = 150
AT_ONCE = 10
SECONDS = 60

# A bundle in the outbox in two forms, one in the transport with what was in it before, and the socket itself.
BYTES_EACH = 4 * 64 * KIB + 64 * KIB
# What the room remembers, and the pages that are being read.
BYTES_SHARED = 32 * MIB


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = tmp_path_factory.mktemp("replays") / "db.sqlite3"
    env = environment(
        DATABASE_URL=f"sqlite:///{database}",
        WS_SERVER=request.param,
        MESSAGE_RATE="1000",
        METRICS_PORT=str(free_port()),
    )
    image.migrate(env)
    server = image.ws(request.param, env)
    server.start()
    yield server
    server.kill()


@pytest_asyncio.fixture
async def room(server: Server) -> AsyncIterator[str]:
    """Where MISSED messages were said, and somebody goes on listening."""
    room = new_room("replays")
    talker = await Talker.enter(server.ws_url, room)
    await talker.talk(MISSED, BODY)
    yield room
    await talker.leave()


async def test_a_crowd_that_reads_no_replay(server: Server, room: str) -> None:
    async with await enter(server.ws_url, room) as alice:
        epoch = alice.welcome["epoch"]
    crowd: list[ClientConnection] = []
    async with growth(server) as grown:
        while len(crowd) < CROWD:
            crowd += await asyncio.gather(*(unread(server, room, epoch) for _ in range(AT_ONCE)))
        async with asyncio.timeout(SECONDS):
            while await asyncio.to_thread(counted, server, "realtime_sockets") < CROWD + 1:
                await asyncio.sleep(0.1)
        async with await enter(server.ws_url, room, since=0, epoch=epoch, batch=True) as bob:
            await bob.say("the last")
            await bob.hears("the last", SECONDS)
            assert [message["seq"] for message in bob.messages()] == list(range(1, MISSED + 2))
    print(f"{server.name} grew by {grown.bytes / MIB:.1f} MiB")
    assert grown.bytes < CROWD * BYTES_EACH + BYTES_SHARED
    assert await asyncio.to_thread(counted, server, "realtime_waiting_bytes") > 0
    for each in crowd:
        each.transport.abort()
    async with asyncio.timeout(SECONDS):
        while await asyncio.to_thread(counted, server, "realtime_waiting_bytes"):
            await asyncio.sleep(0.1)


async def unread(server: Server, room: str, epoch: str) -> ClientConnection:
    """Somebody who has missed everything, and whose kernel has room for little of it."""
    connection = await connect(
        server.ws_url + room_path(room, since=0, epoch=epoch),
        sock=small_line(server),
        compression=None,
        ping_interval=None,
        max_queue=1,
        max_size=MIB,
        open_timeout=SECONDS,
    )
    with contextlib.suppress(RuntimeError):
        connection.transport.pause_reading()
    return connection

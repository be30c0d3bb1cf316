"""Who does not read, reads a little or floods hurts only himself: the server does not grow, the others are quick.

All talk to the ws process itself: an nginx between them would hold some more for a slow client.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from client import new_room
from following import follow, new_topic
from servers.app import FOREIGN_APP, Image, Server
from servers.ports import free_port
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from slow import Flood, Slow, counted, growth
from talkers import Talker, delays, percentile

pytestmark = pytest.mark.slow

MIB = 2**20
BODY = "x" * 4_000
PATIENCE = 20  # seconds, which these servers have for SLOW_SECONDS
RATE = 400  # messages a second that each may say
TOO_SLOW = 'realtime_goodbyes_total{reason="too_slow"}'

APPEND = f"""
from django.db import transaction
from topics.routes import find
for _ in range({{times}}):
    with transaction.atomic():
        for _ in range(100):
            find({{topic!r}}).append({BODY!r})
"""

# Somebody who does not read: 1 MiB in his outbox or, once that is empty, a page of the log (200 messages, 0.8 MiB);
# 64 KiB and a frame in the transport; 64 KiB that he has sent.
BYTES_EACH = 3 * MIB // 2
# The room: 256 messages kept for those who return (1 MiB), and what is in work.
BYTES_SHARED = 3 * MIB
WARM_UP = 800  # messages, after which nothing grows by talk alone
# Dozens of messages are always under way, on a machine that does other things as well. Whoever has to wait for
# a slow one waits for PATIENCE.
SECONDS_P99 = PATIENCE / 2


@pytest.fixture(scope="module")
def stack(postgres: Postgres) -> Iterator[Stack]:
    """A ws process of each server, with its metrics and less patience than usual."""
    image = Image()
    limits = image.app / "realtime" / "limits.py"
    text, found = re.subn(r"(?m)^SLOW_SECONDS = \d+", f"SLOW_SECONDS = {PATIENCE}", limits.read_text())
    assert found == 1
    limits.write_text(text)
    stack = Stack(image, postgres, SERVERS, MESSAGE_RATE=str(RATE), **FOREIGN_APP)
    for process in stack.ws:
        process.env = {**(process.env or {}), "METRICS_PORT": str(free_port())}
    with stack as running:
        yield running


@pytest.fixture(params=[0, 1], ids=SERVERS)
def server(stack: Stack, request: pytest.FixtureRequest) -> Server:
    return stack.ws[request.param]


class Pair:
    """Alice and Bob, by whom is measured what the others do to them."""

    def __init__(self, alice: Talker, bob: Talker) -> None:
        self.alice, self.bob = alice, bob

    async def talk(self, count: int) -> None:
        """So many messages by both together; returns when both have heard them."""
        await asyncio.gather(*(person.talk(count // 2, BODY) for person in (self.alice, self.bob)))
        async with asyncio.timeout(PATIENCE):
            while not self.alice.said.keys() | self.bob.said.keys() <= self.alice.heard.keys() & self.bob.heard.keys():
                await asyncio.sleep(0.01)

    def percentile(self, percent: float) -> float:
        """Of the seconds from saying to hearing."""
        return percentile(delays(self.alice, self.bob) + delays(self.bob, self.alice), percent)


@pytest_asyncio.fixture
async def room() -> str:
    return new_room("slow")


@pytest_asyncio.fixture
async def pair(server: Server, room: str) -> AsyncIterator[Pair]:
    """They have talked for so long that nothing grows by talk alone any more."""
    pair = Pair(await Talker.enter(server.ws_url, room), await Talker.enter(server.ws_url, room))
    await pair.talk(WARM_UP)
    yield pair
    await pair.alice.leave()
    await pair.bob.leave()


async def test_who_reads_late_a_little_or_never(server: Server, room: str, pair: Pair) -> None:
    late, little, never = [await Slow.enter(server, room) for _ in range(3)]
    trickle = asyncio.create_task(little.read_slowly(bytes_per_second=1_000))
    async with growth(server) as grown:
        await pair.talk(1_400)
        await pair.bob.types()
        await pair.alice.hears("typing")
        last = pair.alice.numbers[-1] + 2_400
        reading = asyncio.create_task(late.read_until(last))
        await pair.talk(2_400)
    print(
        f"{server.name} grew by {grown.bytes / MIB:.1f} MiB; from saying to hearing:"
        f" median {pair.percentile(50):.3f} s, p99 {pair.percentile(99):.3f} s"
    )
    assert grown.bytes < 3 * BYTES_EACH + BYTES_SHARED
    assert pair.percentile(99) < SECONDS_P99

    async with asyncio.timeout(PATIENCE):
        await reading
    assert late.numbers == list(range(late.first, last + 1))
    assert "typing" not in late.others, "what may get lost is lost first"

    async with asyncio.timeout(2 * PATIENCE):
        while not await asyncio.to_thread(counted, server, TOO_SLOW):
            await asyncio.sleep(0.1)
        assert await never.read_to_the_end() == 4508
    trickle.cancel()
    for member in (never, little):
        assert member.numbers == list(range(member.first, member.first + len(member.numbers)))
        member.leave()
    late.leave()


async def test_who_reads_a_topic_late_or_never(stack: Stack, server: Server) -> None:
    topic = new_topic("slow")
    alice = await follow(server.ws_url, topic)
    await append(stack, topic, WARM_UP)
    late, never = [await Slow.follow(server, topic) for _ in range(2)]
    async with growth(server) as grown:
        await append(stack, topic, 2_400)
        last = WARM_UP + 2_400
        await alice.until(lambda frame: frame["type"] == "event" and frame["seq"] == last, f"event {last}", PATIENCE)
    assert alice.numbers() == list(range(1, last + 1))
    print(f"{server.name} grew by {grown.bytes / MIB:.1f} MiB")
    assert grown.bytes < 2 * BYTES_EACH + BYTES_SHARED
    async with asyncio.timeout(3 * PATIENCE):
        await late.read_until(last)
        assert late.numbers == list(range(late.first, last + 1))
        before = await asyncio.to_thread(counted, server, TOO_SLOW)
        while never.connection.close_code is None and await asyncio.to_thread(counted, server, TOO_SLOW) == before:
            await asyncio.sleep(0.1)
        assert await never.read_to_the_end() == 4508
    assert never.numbers == list(range(never.first, never.first + len(never.numbers)))
    for member in (late, never):
        member.leave()
    await alice.leave()


async def append(stack: Stack, topic: str, times: int) -> None:
    """So many long events from Python, in few transactions: it takes less time than the servers have patience."""
    await asyncio.to_thread(stack.manage, "shell", "--command", APPEND.format(topic=topic, times=times // 100))


async def test_who_floods(server: Server, room: str, pair: Pair) -> None:
    floods = [Flood(server, room, reads) for reads in (True, False)]
    pair.alice.said.clear()
    pair.bob.said.clear()
    async with growth(server) as grown:
        flooding = [asyncio.create_task(asyncio.to_thread(flood.for_seconds, 4)) for flood in floods]
        while not all(task.done() for task in flooding):
            await pair.talk(10)
            await asyncio.sleep(0.05)
    await asyncio.gather(*flooding)
    print(
        f"{server.name} was sent {[flood.sent for flood in floods]} frames and grew by {grown.bytes / MIB:.1f} MiB;"
        f" from saying to hearing: median {pair.percentile(50):.3f} s, p99 {pair.percentile(99):.3f} s"
    )
    assert floods[0].sent > 4 * 3 * RATE, "more than anybody may say"
    assert grown.bytes < 2 * BYTES_EACH + BYTES_SHARED
    assert pair.percentile(99) < SECONDS_P99
    for flood in floods:
        flood.end()

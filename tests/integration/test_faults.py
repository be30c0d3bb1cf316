"""Everything that was acknowledged reaches everybody once and in order, whatever dies meanwhile.

One stack holds a ws process of each server; members sit on both, and every fault happens while all talk.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest

from client import Socket, enter, new_id, new_room
from ledger import Account, Conversation, Member, keep_all
from regulars import OnStream
from servers.app import FOREIGN_APP, Image, Server
from servers.line import Line
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page
from voters import Voter

HEAL_SECONDS = 30

Fault = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
def shared(image: Image) -> Iterator[Stack]:
    """With a Postgres of its own, since it is killed."""
    cluster = Postgres()
    cluster.start()
    with Stack(image, cluster, SERVERS, DRAIN_SECONDS="2", **FOREIGN_APP) as running:
        yield running
    cluster.stop()


@pytest.fixture
def stack(shared: Stack) -> Iterator[Stack]:
    """Whatever a test has broken is mended after it."""
    yield shared
    shared.mend()


async def test_nothing_goes_wrong_while_nothing_goes_wrong(stack: Stack) -> None:
    async def fault() -> None:
        pass

    account = await through(stack, fault)
    assert account.dials == 4, "nobody had to come back"


async def test_redis_is_killed_and_comes_back_empty(stack: Stack) -> None:
    async def fault() -> None:
        await asyncio.to_thread(stack.redis.kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(stack.redis.start)

    account = await through(stack, fault)
    assert account.dials == 4, "Redis is no reason to lose a socket"


@pytest.mark.parametrize("trouble", ["dead", "still"])
async def test_while_redis_is_away_words_arrive_by_the_log_and_then_fast_again(stack: Stack, trouble: str) -> None:
    redis, room = stack.redis, new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await alice.say("before")
        await bob.hears("before")
        await asyncio.to_thread(redis.kill if trouble == "dead" else redis.pause)
        for number in range(3):
            await alice.say(f"without Redis {number}")
            await bob.hears(f"without Redis {number}")
        posted = await asyncio.to_thread(Visitor(stack.base_url).post, room_page(room), {"body": "by form"})
        assert posted.status == 303
        for member in (alice, bob):
            await member.hears("by form")
        await asyncio.to_thread(redis.start if trouble == "dead" else redis.resume)
        async with asyncio.timeout(60):
            while await seconds_to_hear(alice, bob) > 1:  # by the log it is two, from one look to the next
                pass
        assert [message["seq"] for message in bob.messages()] == list(range(1, bob.messages()[-1]["seq"] + 1))


async def test_redis_stands_still_for_ten_seconds(stack: Stack) -> None:
    async def fault() -> None:
        stack.redis.pause()
        await asyncio.sleep(10)
        stack.redis.resume()

    account = await through(stack, fault)
    assert account.dials == 4, "Redis is no reason to lose a socket"


async def test_postgres_is_killed_and_comes_back(stack: Stack) -> None:
    async def fault() -> None:
        await asyncio.to_thread(stack.postgres.kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(stack.postgres.start)

    await through(stack, fault)


async def test_somebody_else_holds_the_rooms_row_for_five_seconds(stack: Stack) -> None:
    room = new_room("ledger")

    async def fault() -> None:
        async with await psycopg.AsyncConnection.connect(stack.database.url) as other:
            for log in (f"room/{room}", f"votes/open-{room}"):
                await other.execute("SELECT 1 FROM topics_log WHERE name = %s FOR UPDATE", [log])
            await asyncio.sleep(5)

    await through(stack, fault, room)


@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
async def test_a_ws_process_is_killed(stack: Stack, number: int) -> None:
    async def fault() -> None:
        await asyncio.to_thread(stack.ws[number].kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(stack.ws[number].start)

    await through(stack, fault)


@pytest.mark.parametrize("number", [0, 1], ids=SERVERS)
async def test_a_ws_process_is_asked_to_leave(stack: Stack, number: int) -> None:
    process: Server = stack.ws[number]

    async def fault() -> None:
        process.signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait_end, 30) == 0, "it leaves by itself"
        await asyncio.to_thread(process.start)

    await through(stack, fault)


async def test_nginx_is_reloaded(stack: Stack) -> None:
    async def fault() -> None:
        stack.nginx.reload()
        await asyncio.sleep(2)

    account = await through(stack, fault)
    assert account.dials == 4, "whoever is in stays in"


async def test_nginx_is_killed(stack: Stack) -> None:
    async def fault() -> None:
        await asyncio.to_thread(stack.nginx.kill)
        await asyncio.to_thread(stack.nginx.start)

    await through(stack, fault)


async def test_the_network_cuts_stalls_and_slows(stack: Stack) -> None:
    async with Line(stack.nginx.port) as line:

        async def fault() -> None:
            for _ in range(8):
                line.cut()
                await asyncio.sleep(0.4)
            line.stall()
            await asyncio.sleep(3)
            line.flow()
            line.bytes_per_second = 20_000
            await asyncio.sleep(2)
            line.bytes_per_second = 0

        account = await through(stack, fault, bases=[line.ws_url, line.ws_url, stack.ws_url, stack.ws_url])
    assert account.dials > 10, "the cuts were felt"


async def seconds_to_hear(alice: Socket, bob: Socket) -> float:
    """From Alice's ack to Bob's hearing."""
    body = new_id()
    await alice.say(body)
    began = asyncio.get_running_loop().time()
    await bob.hears(body)
    return asyncio.get_running_loop().time() - began


async def through(stack: Stack, fault: Fault, room: str | None = None, bases: list[str] | None = None) -> Account:
    """Four members of a room and of two of a foreign app's topics, two on each process unless said otherwise.

    Those of the one topic are on sockets, those of the other hear by streams and say by posts.

    What all of them can count on is asserted here; the account is the room's.
    """
    room, bases = room or new_room("ledger"), bases or 4 * [stack.ws_url]
    topic = f"votes/open-{room}"
    talking = [Member(base, room, batch=number % 2 == 1) for number, base in enumerate(bases)]
    voting = [Voter(base, topic, batch=number % 2 == 1) for number, base in enumerate(bases)]
    streamed = f"votes/open-{new_id()}"
    reading = [OnStream(base, streamed) for base in bases]
    accounts = await keep_all(
        [
            Conversation(talking, lambda: stack.database.messages(room)),
            Conversation(voting, lambda: stack.database.events(topic)),
            Conversation(reading, lambda: stack.database.events(streamed)),
        ],
        fault,
    )
    for account in accounts:
        print(account)
        assert account.faultless, account
        assert account.acked > 160
        assert account.heal_seconds < HEAL_SECONDS, account
    return accounts[0]

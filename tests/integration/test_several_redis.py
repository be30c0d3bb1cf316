"""Redis that grows: several servers that share the rooms, and one that Sentinels replace by another."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from client import new_id, new_room
from integration.test_doctor import doctor
from ledger import Account, Conversation, Member, keep_all
from pairs import hears_typing, met
from realtime.layers import COMMON
from realtime.wires import share
from servers.app import Image
from servers.postgres import Postgres
from servers.redis import Redis
from servers.sentinel import Guarded
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page

SECONDS = 60


async def through(stack: Stack, rooms: list[str], fault: "asyncio.Future[None]") -> list[Account]:
    """Four members a room, two at each process, while that happens."""
    conversations = [
        Conversation(
            [Member(stack.ws[number % 2].ws_url, room, batch=number > 1) for number in range(4)],
            lambda room=room: stack.database.messages(room),
        )
        for room in rooms
    ]

    async def happens() -> None:
        await fault

    accounts = await keep_all(conversations, happens)
    for account in accounts:
        assert account.faultless, account
        assert account.dials == 4, "Redis is no reason to lose a socket"
    return accounts


# --- Several that share the rooms ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def second() -> Iterator[Redis]:
    second = Redis()
    second.start()
    yield second
    second.kill()


@pytest.fixture(scope="module")
def shared(image: Image, postgres: Postgres, second: Redis) -> Iterator[Stack]:
    stack = Stack(image, postgres, SERVERS)
    both = {"REDIS_URL": f"{stack.redis.url},{second.url}"}
    for process in stack.application:
        process.env = {**(process.env or {}), **both}
    with stack:
        yield stack


def room_on(redis: Redis, *servers: Redis) -> str:
    """A new room's name, which that one of them has."""
    while (name := new_room()) and who_has(f"topic:room/{name}", *servers) is not redis:
        pass
    return name


def who_has(key: str, *servers: Redis) -> Redis:
    places = {f"127.0.0.1:{one.port}": one for one in servers}
    return places[share(list(places), key)]


def groups(redis: Redis) -> set[str]:
    return {word for word in redis.ask("PUBSUB CHANNELS *.room.*").split() if ".room." in word}


async def test_each_room_is_on_one_of_them_whoever_speaks(shared: Stack, second: Redis) -> None:
    servers = (shared.redis, second)
    for redis in servers:
        others = [one for one in servers if one is not redis]
        before = [groups(one) for one in (redis, *others)]
        room = room_on(redis, *servers)
        async with met(shared, room) as (alice, bob):
            await hears_typing(alice, bob)
            await hears_typing(bob, alice)
            assert [len(groups(one) - had) for one, had in zip((redis, *others), before, strict=True)] == [1, 0]
            visitor = Visitor(shared.base_url)
            visitor.post(room_page(room), {"body": "from a page"})
            for one in (alice, bob):
                await one.hears("from a page", SECONDS)


async def test_while_one_is_dead_rooms_of_the_other_notice_nothing_and_its_own_lose_nothing(
    shared: Stack, second: Redis
) -> None:
    servers = (shared.redis, second)
    # Who comes and goes is told by way of one of them, whichever that is: it stays.
    stays = who_has(COMMON, *servers)
    [mortal] = [redis for redis in servers if redis is not stays]
    rooms = [room_on(redis, *servers) for redis in servers]
    late = room_on(stays, *servers)

    async def dies() -> None:
        await asyncio.to_thread(mortal.kill)
        async with met(shared, late) as (alice, bob):  # who comes only now is heard at once, too
            await hears_typing(alice, bob)
            await hears_typing(bob, alice)
            body = new_id()
            await alice.say(body)
            await bob.hears(body)
        await asyncio.to_thread(mortal.start)

    await through(shared, rooms, asyncio.ensure_future(asyncio.sleep(0)))
    await through(shared, [room + "-again" for room in rooms], asyncio.ensure_future(dies()))
    async with met(shared, room_on(mortal, *servers)) as (alice, bob):
        await hears_typing(alice, bob)
        await hears_typing(bob, alice)


# --- One that Sentinels replace --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    guarded = Guarded()
    try:
        yield guarded.start()
    finally:
        guarded.stop()


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres, guarded: Guarded) -> Iterator[Stack]:
    with Stack(image, postgres, SERVERS, REDIS_URL=guarded.url) as running:
        running.redis.kill()
        yield running


@pytest.mark.parametrize("trouble", ["dead", "still"])
async def test_another_server_takes_over_and_they_hear_each_other_by_that(
    image: Image, stack: Stack, guarded: Guarded, trouble: str
) -> None:
    old, room = guarded.master(), new_room()
    found = await asyncio.to_thread(doctor, image, stack.env)
    assert len([each for each in found.findings if each["check"] == "sentinels" and each["state"] == "ok"]) == 3

    async def fails() -> None:
        old.signal(signal.SIGKILL if trouble == "dead" else signal.SIGSTOP)
        async with asyncio.timeout(SECONDS):
            while await asyncio.to_thread(guarded.master) is old:
                await asyncio.sleep(0.1)

    await through(stack, [room], asyncio.ensure_future(fails()))
    async with met(stack, new_room()) as (alice, bob):
        await hears_typing(alice, bob)
        await hears_typing(bob, alice)
    if trouble == "dead":
        await asyncio.to_thread(old.wait_end, 10)
        await asyncio.to_thread(old.start)
        for sentinel in guarded.sentinels:
            await asyncio.to_thread(sentinel.wait_ready)
    else:
        old.signal(signal.SIGCONT)

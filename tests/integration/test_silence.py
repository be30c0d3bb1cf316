"""More than a minute passes: who is silent is still there, and who has died is not."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from client import Frame, Socket, enter, new_room
from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

# Longer than the silence after which redis-py's reads, the servers' pings, Heroku's router or nginx (75 s) would give
# up, and than the lease of a process that was killed.
SILENCE = 80


@dataclass
class Afterwards:
    silent: list[Socket]
    witness: Socket
    ghost: Frame


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """A ws process of each server behind nginx, and one beside it, to be killed."""
    stack = Stack(image, postgres, [*SERVERS, "daphne"])
    stack.nginx.lead_to(web=[stack.web.port], ws=[process.port for process in stack.ws[:2]])
    with stack as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def afterwards(stack: Stack) -> AsyncIterator[Afterwards]:
    quiet, haunted = new_room("quiet"), new_room("haunted")
    silent = [await enter(stack.ws_url, quiet, batch=number > 1) for number in range(4)]
    assert [process.connections() > 0 for process in stack.ws] == [True, True, False]
    await silent[0].say("before")
    await asyncio.gather(*(alice.hears("before") for alice in silent))
    witness = await enter(stack.ws[0].ws_url, haunted)
    ghost = (await enter(stack.ws[2].ws_url, haunted)).welcome["you"]
    await witness.until(lambda frame: ghost in frame.get("joined", []), "the ghost, still alive")
    await asyncio.to_thread(stack.ws[2].kill)
    await asyncio.sleep(SILENCE)
    yield Afterwards(silent, witness, ghost)
    for socket in [*silent, witness]:
        await socket.leave()


async def test_nobody_was_closed(afterwards: Afterwards) -> None:
    assert [alice.connection.close_code for alice in afterwards.silent] == 4 * [None]
    await afterwards.silent[0].say("after")
    for alice in afterwards.silent:
        await alice.hears("after")


async def test_everybody_was_told_the_rooms_last_number(afterwards: Afterwards) -> None:
    for alice in afterwards.silent:
        told = [frame["seq"] for frame in alice.frames if frame["type"] == "seq"]
        assert told, "at least every 20 s"
        assert told == sorted(told)
        assert told[0] in (0, 1)
        assert 1 in told


async def test_the_member_of_a_killed_process_is_gone(afterwards: Afterwards) -> None:
    left = [person for frame in afterwards.witness.frames for person in frame.get("left", [])]
    assert left == [afterwards.ghost]
    last = [frame for frame in afterwards.witness.frames if frame["type"] == "presence"][-1]
    assert last["member_count"] == 1

"""Nobody says anything for half a minute, and everybody is still there."""

import asyncio
from collections.abc import Iterator

import pytest

from client import enter, new_room
from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

# Longer than the silence after which redis-py's reads, the servers' pings or a careless proxy would give up.
SILENCE = 30


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """One ws process of each server, so that they are silent at the same time."""
    with Stack(image, postgres, SERVERS) as running:
        yield running


@pytest.mark.slow
async def test_half_a_minute_of_silence_closes_nothing(stack: Stack) -> None:
    room = new_room()
    alices = [await enter(stack.ws_url, room, batch=number % 2 == 0) for number in range(6)]
    assert all(process.connections() for process in stack.ws), "nginx spreads them over both"
    await alices[0].say("before")
    await asyncio.gather(*(alice.hears("before") for alice in alices))
    await asyncio.sleep(SILENCE)
    for alice in alices:
        told = [frame["seq"] for frame in alice.frames if frame["type"] == "seq"]
        assert told, "the room's last number is told at least every 20 s"
        assert set(told) <= {0, 1}
        assert told[-1] == 1
    await alices[0].say("after")
    for alice in alices:
        await alice.hears("after", seconds=2)
        await alice.leave()

"""People in tunnels: everybody's connection is cut every other moment, and everybody reads everything once."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from client import new_room
from crowd import Regular, chat, settled
from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from weather import Weather, lines, trouble

pytestmark = [pytest.mark.slow, pytest.mark.nightly]  # test_faults cuts lines, and test_resume goes on, for each commit

PEOPLE = 16
WEATHER = Weather(every=1.5, offline=0.2, lasts=15)
SEED = 15


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """A process of each server: whoever returns may come to the other one."""
    with Stack(image, postgres, SERVERS) as running:
        yield running


async def test_everybody_reads_everything_once_over_connections_that_break(stack: Stack) -> None:
    room = new_room("tunnel")
    over = asyncio.Event()
    async with lines(stack.nginx.port, PEOPLE) as found:
        people = [Regular(line.ws_url, room, batch=number % 2 == 0) for number, line in enumerate(found)]
        chatting = asyncio.create_task(chat(over, people[:6], per_second=8))
        try:
            cuts = await trouble(found, WEATHER, random.Random(SEED))
            over.set()
            await chatting
            account = await settled(stack, people)
        finally:
            chatting.cancel()
            await asyncio.gather(*(one.leave() for one in people))
    print(f"{cuts} cuts; {account}")
    assert account.faultless, account
    assert cuts > 5 * PEOPLE
    assert account.dials > cuts, "each was felt"
    assert account.acked > 100

"""Alice before a page of the real site, whose sockets end at a server that the test plays."""

from collections.abc import AsyncIterator

import pytest_asyncio

from browser import Arrive, Person
from client import new_room
from played import Played
from servers.app import Server
from visitor import room_page


@pytest_asyncio.fixture(loop_scope="session")
async def alice(alone: Server, arrive: Arrive) -> AsyncIterator[Person]:
    """In an empty room that has not welcomed her yet. Her clock stands still unless it is told to run."""
    alice = await arrive(alone.url)
    await alice.page.clock.install(time=0)
    await alice.page.clock.pause_at(1000)
    yield alice
    assert alice.problems == []


@pytest_asyncio.fixture(loop_scope="session")
async def server(alone: Server, alice: Person) -> Played:
    server = Played(alice.page)
    await server.begin()
    await alice.page.goto(alone.url + room_page(new_room()))
    await server.look()
    await server.dialled(1)
    return server

"""Actors of the story who come in by nginx and are served by a container of one's choice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from browser import Person
from client import Socket, enter, new_room
from stack.compose import Container, Stack, until
from story import Actor


class Leaver(Actor, Protocol):
    async def leave(self) -> None: ...


class Sitter(Person):
    """Somebody with a browser who can leave a room without entering another one."""

    async def leave(self) -> None:
        await self.page.goto("about:blank")


class Steered:
    """The actor, but for the way in. Nobody else may come or go meanwhile."""

    def __init__(self, actor: Leaver, stack: Stack, container: Container) -> None:
        self.actor, self.stack, self.address = actor, stack, container.address
        self.say, self.hears, self.everything = actor.say, actor.hears, actor.everything
        self._inside = False

    async def enter(self, room: str) -> None:
        await self.leave()
        async with crowd_elsewhere(self.stack, self.address) as before:
            await self.actor.enter(room)
            await holds(self.stack, self.address, before + 1)
        self._inside = True

    async def leave(self) -> None:
        if self._inside:
            before = (await sockets(self.stack))[self.address]
            await self.actor.leave()
            await holds(self.stack, self.address, before - 1)
            self._inside = False


@asynccontextmanager
async def crowd_elsewhere(stack: Stack, spared: str) -> AsyncIterator[int]:
    """As long as it lasts, `least_conn` leads whoever comes to the spared address. Yields who is there already."""
    others = [each.address for each in await asyncio.to_thread(stack.containers, "ws")]
    others.remove(spared)
    room = new_room("crowd")
    taken = await sockets(stack)
    before, crowd = taken[spared], dict[Socket, bool]()
    try:
        while min(taken[other] for other in others) <= before:
            assert len(crowd) < 40, f"nginx always leads to {spared}"
            newcomer = await enter(stack.ws_url, room)
            last, taken = taken, await sockets(stack)
            crowd[newcomer] = taken[spared] > last[spared]
        await leave_all([socket for socket, stray in crowd.items() if stray])
        await holds(stack, spared, before)
        yield before
    finally:
        await leave_all([socket for socket, stray in crowd.items() if not stray])


async def leave_all(crowd: list[Socket]) -> None:
    await asyncio.gather(*(socket.leave() for socket in crowd))


async def sockets(stack: Stack) -> Counter[str]:
    return await asyncio.to_thread(stack.sockets)


async def holds(stack: Stack, address: str, count: int) -> None:
    await asyncio.to_thread(until, lambda: stack.sockets()[address] == count, f"{count} sockets on {address}")

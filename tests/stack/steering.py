"""Actors of the story who come in by nginx and are served by a container of one's choice."""

import asyncio
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
        self.actor, self.stack, self.container = actor, stack, container
        self.say, self.hears, self.everything = actor.say, actor.hears, actor.everything
        self._inside = False

    async def enter(self, room: str) -> None:
        await self.leave()
        async with crowd_elsewhere(self.stack, self.container):
            before = await sockets(self.container)
            await self.actor.enter(room)
            await has(self.container, before + 1)
        self._inside = True

    async def leave(self) -> None:
        if self._inside:
            before = await sockets(self.container)
            await self.actor.leave()
            await has(self.container, before - 1)
            self._inside = False


@asynccontextmanager
async def crowd_elsewhere(stack: Stack, spared: Container) -> AsyncIterator[None]:
    """As long as it lasts, `least_conn` leads whoever comes to the spared container."""
    room = new_room("crowd")
    others = [each for each in await asyncio.to_thread(stack.containers, "ws") if each.id != spared.id]
    at_first = await sockets(spared)
    elsewhere: list[Socket] = []
    here: list[Socket] = []
    try:
        while min([await sockets(other) for other in others]) <= at_first:
            assert len(here + elsewhere) < 40, f"nginx always leads to {spared}"
            socket = await enter(stack.ws_url, room)
            side = elsewhere if await sockets(spared) == at_first + len(here) else here
            side.append(socket)
        await leave_all(here)
        await has(spared, at_first)
        yield
    finally:
        await leave_all(elsewhere)


async def leave_all(crowd: list[Socket]) -> None:
    await asyncio.gather(*(socket.leave() for socket in crowd))


async def sockets(container: Container) -> int:
    return await asyncio.to_thread(container.sockets)


async def has(container: Container, count: int) -> None:
    await asyncio.to_thread(until, lambda: container.sockets() == count, f"{count} sockets on {container}")

"""Alice at one process, and bob at the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from client import Socket, enter, meet
from servers.stack import Stack

SECONDS: Final = 60


@asynccontextmanager
async def met(stack: Stack, room: str) -> AsyncIterator[tuple[Socket, Socket]]:
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await meet(alice, bob)
        yield alice, bob


async def hears_typing(hearer: Socket, typist: Socket) -> None:
    """What is ephemeral is in no log: it comes from process to process, or not at all."""
    seen = len(hearer.frames)
    async with asyncio.timeout(SECONDS):
        while not any(frame["type"] == "typing" for frame in hearer.frames[seen:]):
            await typist.send({"type": "typing"})
            await asyncio.sleep(0.2)

"""Cut every fifteen seconds and offline for two: ours and the tutorial's chat, on one machine at one time."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from client import new_room
from crowd import Regular, chat, settled
from servers.app import environment
from servers.ports import answers, free_port
from servers.process import Process
from servers.stack import Stack
from weather import Weather, lines, trouble

TESTS = Path(__file__).parents[1]
PEOPLE = 20
SPEAKERS = 4
PER_SECOND = 2  # that each of the speakers says
EVERY, OFFLINE = 15, 2


@dataclass
class Result:
    """`expected` deliveries are one for each message and reader."""

    who: str
    cuts: int
    messages: int
    expected: int
    lost: int
    doubled: int

    @property
    def lost_percent(self) -> float:
        return round(100 * self.lost / self.expected, 2) if self.expected else 0.0


async def both(stack: Stack, seconds: float, seed: int) -> list[Result]:
    """Ours first. The same seed makes the same weather for both."""
    weather = Weather(EVERY, OFFLINE, seconds)
    return list(await asyncio.gather(ours(stack, weather, seed), tutorial(stack, weather, seed)))


async def ours(stack: Stack, weather: Weather, seed: int) -> Result:
    room, over = new_room("jitter"), asyncio.Event()
    speakers = [Regular(stack.ws_url, room) for _ in range(SPEAKERS)]
    async with lines(stack.nginx.port, PEOPLE) as found:
        readers = [Regular(line.ws_url, room, batch=number % 2 == 0) for number, line in enumerate(found)]
        chatting = asyncio.create_task(chat(over, speakers, PER_SECOND))
        cuts = await trouble(found, weather, random.Random(seed))
        over.set()
        await chatting
        account = await settled(stack, [*speakers, *readers])
        await asyncio.gather(*(one.leave() for one in [*speakers, *readers]))
    log = {id for _, id, _ in stack.database.messages(room)}
    heard = [Counter(id for _, id in one.seen) for one in readers]
    again = sum(count - 1 for one in heard for count in one.values())
    missed = sum(len(log - one.keys()) for one in heard)
    return Result("rooms", cuts, len(log), len(log) * PEOPLE, missed + account.lost, again + len(account.wrong))


async def tutorial(stack: Stack, weather: Weather, seed: int) -> Result:
    """Its clients dial again as soon as they can; what was said meanwhile they are not told."""
    heard: list[Counter[str]] = [Counter() for _ in range(PEOPLE)]
    said: list[str] = []
    async with running(stack) as port, lines(port, PEOPLE) as found:
        reading = [asyncio.create_task(listen(line.ws_url, one)) for line, one in zip(found, heard, strict=True)]
        speaking = asyncio.create_task(speak(f"ws://127.0.0.1:{port}", said))
        cuts = await trouble(found, weather, random.Random(seed))
        speaking.cancel()
        await asyncio.sleep(3)  # for the last ones to arrive
        for task in reading:
            task.cancel()
        await asyncio.gather(speaking, *reading, return_exceptions=True)
    missed = sum(len(set(said) - one.keys()) for one in heard)
    again = sum(count - 1 for one in heard for count in one.values())
    return Result("the tutorial's chat", cuts, len(said), len(said) * PEOPLE, missed, again)


@asynccontextmanager
async def running(stack: Stack) -> AsyncIterator[int]:
    """Its port, once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "torture.tutorial:application"]
    env = environment(REDIS_URL=stack.redis.url, PYTHONPATH=str(TESTS))
    process = Process("tutorial", command, lambda: answers(port), env=env)
    await asyncio.to_thread(process.start)
    try:
        yield port
    finally:
        await asyncio.to_thread(process.kill)


async def listen(base: str, heard: Counter[str]) -> None:
    while True:
        with suppress(OSError, InvalidHandshake, ConnectionClosed, TimeoutError, EOFError):
            async with connect(f"{base}/ws/chat/jitter/", proxy=None, open_timeout=5, close_timeout=1) as chat:
                async for text in chat:
                    heard[str(text)] += 1
        await asyncio.sleep(random.uniform(0.02, 0.3))


async def speak(base: str, said: list[str]) -> None:
    async with connect(f"{base}/ws/chat/jitter/", proxy=None) as chat:
        await asyncio.sleep(1)  # until all listen
        while True:
            said.append(f"message {len(said)}")
            await chat.send(said[-1])
            async with asyncio.timeout(5):
                await chat.recv()
            await asyncio.sleep(1 / (SPEAKERS * PER_SECOND))

"""The servers get a tenth of a processor: everything takes longer, and nobody is thrown out for having waited.

A process is stopped for nine tenths of each second, as the kernel does with a container that has used up its share.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from client import enter, new_room
from servers.app import Image
from servers.postgres import Postgres
from servers.process import Process
from servers.stack import SERVERS, Stack

pytestmark = [pytest.mark.slow, pytest.mark.nightly]  # a minute, and only a change of the ladder of silence breaks it

PERIOD, SHARE = 1.0, 0.1
PEOPLE = 30  # on each server
SECONDS = 60  # longer than a ping and the wait for its pong
# As docker-compose.yml has it: unhealthy is who fails three times in a row.
INTERVAL, TIMEOUT, RETRIES = 10, 3, 3


@pytest.fixture
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    with Stack(image, postgres, SERVERS, WEB_CONCURRENCY="1") as running:
        yield running


@pytest.mark.timeout(900)
async def test_a_starved_server_throws_out_nobody_and_stays_healthy(stack: Stack) -> None:
    room = new_room()
    crowd = [await enter(stack.ws[number % 2].ws_url, room) for number in range(2 * PEOPLE)]
    async with starved(stack.application):
        watching = [asyncio.create_task(checks(stack, process)) for process in stack.application]
        number = 0
        while not all(watch.done() for watch in watching):
            await crowd[number % len(crowd)].say(f"{number}")
            number += 1
        in_a_row = [await watch for watch in watching]
    assert max(in_a_row) < RETRIES, in_a_row
    await crowd[0].say("well again")
    for one in crowd:
        await one.hears("well again")
        assert len(one.bodies()) == number + 1
        await one.leave()
    for process in stack.application:
        assert "Traceback" not in process.output()


@asynccontextmanager
async def starved(processes: list[Process]) -> AsyncIterator[None]:
    async def starve(process: Process) -> None:
        try:
            while True:
                process.pause()
                await asyncio.sleep(PERIOD * (1 - SHARE))
                process.resume()
                await asyncio.sleep(PERIOD * SHARE)
        finally:
            process.resume()

    tasks = [asyncio.create_task(starve(process)) for process in processes]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def checks(stack: Stack, process: Process) -> int:
    """The most failures in a row of the container's health check."""
    role = "web" if process is stack.web else "ws"
    command = [sys.executable, "-I", "-S", "realtime/check.py", role]
    most = in_a_row = 0
    for _ in range(SECONDS // INTERVAL):
        await asyncio.sleep(INTERVAL)
        in_a_row = 0 if await asyncio.to_thread(passes, command, stack, process) else in_a_row + 1
        most = max(most, in_a_row)
    return most


def passes(command: list[str], stack: Stack, process: Process) -> bool:
    try:
        return not subprocess.run(command, cwd=stack.image.app, env=process.env, timeout=TIMEOUT).returncode
    except subprocess.TimeoutExpired:
        return False

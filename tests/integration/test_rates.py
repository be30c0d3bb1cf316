"""Mallory has sockets in two processes, and sends without end: she may say what one person may."""

import asyncio

from client import Socket, enter, new_id, new_room
from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor

RATE = 10


async def shout(socket: Socket, pause: float) -> None:
    while True:
        await socket.send({"type": "message", "id": new_id(), "body": "me!"})
        await asyncio.sleep(pause)


async def test_what_mallory_says_in_one_process_is_taken_from_what_she_may_say_in_another(
    image: Image, postgres: Postgres
) -> None:
    with Stack(image, postgres, SERVERS, MESSAGE_RATE=str(RATE)) as stack:
        browser = Visitor(stack.base_url)
        await asyncio.to_thread(browser.get, "/")
        loud, quiet, bobs = (new_room() for _ in range(3))
        near, far = (process.ws_url for process in stack.ws)
        async with (
            await enter(near, loud, headers=browser.cookies) as shouting,
            await enter(far, quiet, headers=browser.cookies) as whispering,
            await enter(far, bobs) as bob,
        ):
            tasks = [
                asyncio.create_task(shout(shouting, 0.3 / RATE)),
                asyncio.create_task(shout(whispering, 3 / RATE)),  # by itself far from the limit
            ]
            try:
                refused = await whispering.error("rate_limited", seconds=60)
                assert refused["retry_after_ms"] > 0
                for number in range(RATE):
                    await bob.say(f"{number}")  # a stranger to all this
            finally:
                for task in tasks:
                    task.cancel()

"""Two people talk, a third hears nothing: through nginx, on different processes, in both shapes of frames."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from client import Socket, enter, meet, new_room
from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from story import SocketActor, converse
from visitor import Visitor, room_page


class OnProcess(SocketActor):
    """Comes in by nginx and stays only where it leads to the given ws process."""

    def __init__(self, stack: Stack, number: int, *, batch: bool = False) -> None:
        super().__init__(stack.ws_url, batch=batch)
        self.process = stack.ws[number]

    async def enter(self, room: str) -> None:
        await self.leave()
        strays: list[Socket] = []
        while self.socket is None:
            assert len(strays) < 20, f"nginx never leads to {self.process.name}"
            before = self.process.connections()
            socket = await enter(self.base, room, batch=self.batch)
            if self.process.connections() > before:
                self.socket = socket
            else:
                strays.append(socket)  # kept, so that nginx finds the other process less busy
        await asyncio.gather(*(stray.leave() for stray in strays))


@pytest.mark.parametrize("batch", [False, True], ids=["frames", "batches"])
async def test_alice_and_bob_talk_on_different_processes(stack: Stack, batch: bool) -> None:
    alice, bob, carol = (
        OnProcess(stack, 0, batch=batch),
        OnProcess(stack, 1),
        OnProcess(stack, 1, batch=batch),
    )
    try:
        await converse(alice, bob, carol)
    finally:
        for actor in (alice, bob, carol):
            await actor.leave()


async def test_the_story_is_told_on_one_process_too(stack: Stack) -> None:
    actors = [SocketActor(stack.ws[0].ws_url) for _ in range(3)]
    try:
        await converse(*actors)
    finally:
        for actor in actors:
            await actor.leave()


@pytest.fixture
def never_looking(postgres: Postgres) -> Iterator[Stack]:
    """What its processes do not hear by the layer they do not find in the log either, two seconds later."""
    image = Image()
    limits = image.app / "realtime" / "limits.py"
    text, found = re.subn(r"(?m)^CHECK_SECONDS = \d+", "CHECK_SECONDS = 3_600", limits.read_text())
    assert found == 1
    limits.write_text(text)
    with Stack(image, postgres, SERVERS) as running:
        yield running


async def test_what_bob_posts_by_form_reaches_alice_at_once(never_looking: Stack) -> None:
    stack, room = never_looking, new_room()
    bob = Visitor(stack.base_url)
    async with await enter(stack.ws[0].ws_url, room) as near, await enter(stack.ws[1].ws_url, room) as far:
        await meet(near, far)
        answer = await asyncio.to_thread(bob.post, room_page(room), {"body": "written without JavaScript"})
        assert answer.status in (302, 303)
        heard = [await alice.hears("written without JavaScript") for alice in (near, far)]
    assert heard[0] == heard[1]
    assert heard[0]["seq"] == 1


async def test_everybody_in_a_crowd_hears_everything_in_one_order(stack: Stack) -> None:
    room = new_room()
    crowd = [await enter(stack.ws_url, room) for _ in range(12)]

    async def chatter(socket: Socket, who: int) -> None:
        for number in range(8):
            await socket.say(f"{who}: {number}")

    await asyncio.gather(*(chatter(socket, who) for who, socket in enumerate(crowd)))
    for socket in crowd:
        await socket.until(lambda frame: frame.get("seq") == 96 and frame["type"] == "message", "message 96")
        assert [message["seq"] for message in socket.messages()] == list(range(1, 97))
        assert socket.bodies() == crowd[0].bodies()
    await asyncio.gather(*(socket.leave() for socket in crowd))
    assert [body for _, _, body in stack.database.messages(room)] == crowd[0].bodies()

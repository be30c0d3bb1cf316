"""What is new to alice, on Postgres and with two processes: bob talks in the one, her devices are in both."""

import asyncio
import re

from client import Frame, Socket, dial, enter, new_id, new_room
from servers.stack import Stack
from visitor import Visitor, room_page


async def follow(url: str, browser: Visitor, topic: str) -> Socket:
    socket = Socket(await dial(f"{url}/ws/", subprotocols=["topics.v1"], headers=browser.cookies))
    await socket.of_type("welcome")
    await socket.send({"type": "join", "topic": topic})
    await socket.of_type("joined")
    return socket


def news(socket: Socket, room: str, seq: int) -> list[object]:
    """What alice was told of that message: its number, who has said it, and whom it mentions."""
    told = [one for frame in socket.frames if frame["type"] == "signal" for one in frame["data"].get("news", [])]
    return [said for one in told if one["topic"] == f"room/{room}" for said in one["said"] if said[0] == seq]


def has_read(frame: Frame) -> int:
    """Up to which number, where it says so."""
    return int(frame["data"].get("read", {}).get("read", 0)) if frame["type"] == "signal" else 0


async def reads(socket: Socket, topic: str, room: str, seq: int) -> None:
    await socket.send({"type": "send", "topic": topic, "id": new_id(), "data": {"read": f"room/{room}", "seq": seq}})
    await socket.of_type("ack")


async def test_bob_is_heard_of_and_what_is_read_on_one_device_is_read_on_the_other(stack: Stack) -> None:
    room, browser = new_room(), Visitor(stack.base_url)
    page = await asyncio.to_thread(browser.get, room_page(room))
    key = re.findall(r'data-key="(\w+)"', page.text)[0]
    hers = f"lobby/{key}"
    sockets = [await follow(process.ws_url, browser, hers) for process in stack.ws]
    bob = await enter(stack.ws[-1].ws_url, room)
    try:
        await bob.say("one")
        await reads(sockets[0], hers, room, 1)
        await bob.send({"type": "message", "id": "2", "body": "@her", "mentions": [key]})
        for socket in sockets:
            await socket.until(lambda _, s=socket: news(s, room, 2), "news of it")
            assert news(socket, room, 2)[0] == [2, "", key], "without a cookie bob is nobody in particular"
        heard = await bob.hears("@her")
        assert heard["mentions"] == [key]
        lobby = (await asyncio.to_thread(browser.get, "/")).text
        assert "<title>(@1) Rooms</title>" in lobby
        await reads(sockets[-1], hers, room, 2)
        for socket in sockets:
            read = await socket.until(lambda frame: has_read(frame) == 2, "that it is read")
            assert (read["data"]["read"]["unread"], read["data"]["read"]["addressed"]) == (0, 0)
        assert "<title>Rooms</title>" in (await asyncio.to_thread(browser.get, "/")).text
    finally:
        for socket in [*sockets, bob]:
            await socket.leave()


async def test_nobody_else_hears_what_is_new_to_alice(stack: Stack) -> None:
    alice = Visitor(stack.base_url)
    key = re.findall(r'data-key="(\w+)"', (await asyncio.to_thread(alice.get, "/")).text)[0]
    carol = Socket(await dial(f"{stack.ws[0].ws_url}/ws/", subprotocols=["topics.v1"]))
    await carol.of_type("welcome")
    await carol.send({"type": "join", "topic": f"lobby/{key}"})
    await carol.error("no_such_topic")
    await carol.leave()

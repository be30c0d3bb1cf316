"""Who is here, over two processes."""

import asyncio

from client import Frame, Socket, enter, meet, new_room
from servers.stack import Stack
from visitor import Visitor


async def test_alice_and_bob_see_each_other_come_and_go(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice:
        async with await enter(stack.ws[1].ws_url, room) as bob:
            await alice.sees("joined", you(bob))
            await bob.sees("joined", you(alice))
            counted = await alice.until(lambda frame: frame["type"] == "presence", "presence")
            assert counted["member_count"] == 2
        gone = await alice.sees("left", you(bob))
        assert gone["member_count"] == 1
        assert you(alice) not in changes(alice), "never about oneself"


async def test_who_comes_later_is_told_who_is_there(stack: Stack) -> None:
    for process in stack.ws:
        room = new_room()
        async with await enter(stack.ws_url, room) as alice, await enter(stack.ws_url, room) as bob:
            await meet(alice, bob)
            async with await enter(process.ws_url, room) as carol:
                assert {person["name"] for person in carol.welcome["members"]} >= {
                    you(alice)["name"],
                    you(bob)["name"],
                }
                assert carol.welcome["member_count"] in (2, 3)


async def test_two_tabs_are_one_person(stack: Stack) -> None:
    room = new_room()
    visitor = Visitor(stack.base_url)
    await asyncio.to_thread(visitor.post, "/name/", {"name": "Alice"}, seen_on="/")
    async with await enter(stack.ws[1].ws_url, room) as bob:
        first = await enter(stack.ws[0].ws_url, room, headers=visitor.cookies)
        second = await enter(stack.ws[1].ws_url, room, headers=visitor.cookies)
        assert you(first) == you(second) == {"key": first.welcome["key"], "name": "Alice", "guest": True}
        joined = await bob.sees("joined", you(first))
        assert joined["member_count"] == 2
        await first.leave()
        # Another person's coming and going shows that news of the first tab would have been here.
        async with await enter(stack.ws[0].ws_url, room) as carol:
            await bob.sees("joined", you(carol))
        await bob.sees("left", you(carol))
        assert you(first) not in [person for frame in of_presence(bob) for person in frame["left"]]
        await second.leave()
        await bob.sees("left", you(first))
        assert changes(bob).count(you(first)) == 2


async def test_carol_in_another_room_sees_nobody(stack: Stack) -> None:
    async with await enter(stack.ws_url, new_room()) as carol, await enter(stack.ws_url, new_room()) as alice:
        async with await enter(stack.ws_url, alice.welcome["room"]) as bob:
            await alice.sees("joined", you(bob))
        await alice.sees("left", you(bob))
        await carol.pong()
        assert of_presence(carol) == []


def you(socket: Socket) -> Frame:
    person: Frame = socket.welcome["you"]
    return person


def of_presence(socket: Socket) -> list[Frame]:
    return [frame for frame in socket.frames if frame["type"] == "presence"]


def changes(socket: Socket) -> list[Frame]:
    return [person for frame in of_presence(socket) for person in frame["joined"] + frame["left"]]

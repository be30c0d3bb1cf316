"""A room is made by its first message: who listened before hears it, in whichever process."""

import asyncio

from client import enter, new_room
from servers.stack import Stack
from visitor import Visitor, room_page

ROOMS = "SELECT count(*) FROM rooms_opened WHERE name = %s"


async def test_who_was_there_before_the_room_was_made_hears_its_first_message(stack: Stack) -> None:
    room = new_room()
    near, far = (process.ws_url for process in stack.ws)
    async with await enter(near, room) as alice, await enter(far, room) as bob, await enter(far, room) as carol:
        await asyncio.to_thread(Visitor(stack.base_url).get, room_page(room))
        assert stack.database.rows(ROOMS, [room]) == [(0,)]
        await alice.say("first")
        for member in (bob, carol):
            await member.hears("first")
            assert member.welcome["epoch"] == alice.welcome["epoch"]
        await bob.say("second")
        await alice.hears("second")
        async with await enter(near, room, since=1, epoch=alice.welcome["epoch"]) as back:
            assert (back.welcome["recovered"], back.bodies()) == (True, ["second"])
    assert stack.database.rows(ROOMS, [room]) == [(1,)]


async def test_two_who_say_the_first_thing_at_once_in_two_processes_are_in_one_room(stack: Stack) -> None:
    for _ in range(10):
        room = new_room()
        near, far = (process.ws_url for process in stack.ws)
        async with await enter(near, room) as alice, await enter(far, room) as bob:
            acks = await asyncio.gather(alice.say("hers"), bob.say("his"))
            assert sorted(ack["seq"] for ack in acks) == [1, 2]
            for member in (alice, bob):
                await member.hears("hers")
                await member.hears("his")
                assert [message["seq"] for message in member.messages()] == [1, 2]


async def test_the_form_of_a_room_that_nobody_has_made_is_heard_by_its_sockets(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws[1].ws_url, room) as bob:
        alice = Visitor(stack.base_url)
        posted = await asyncio.to_thread(alice.post, room_page(room), {"body": "hello"})
        assert posted.status == 303
        await bob.hears("hello")

"""Redis is only a hint: what it never says, says twice or says in the wrong order arrives once and in order."""

import asyncio

import pytest

from client import Socket, enter, meet, new_room
from hints import layer, store_in_room
from servers.stack import Stack

OUTSIDE = (
    '{"type":"signal","topic":"room/x","by":{"key":"0123456789abcdef","name":"outside","guest":true},'
    '"data":{"typing":true}}'
)
SECONDS = 30  # the log is asked every 2 s which rooms have changed, on a machine that has other things to do

LAST_WORDS = """
import os
from rooms.topics import RoomTopic
from topics.storing import logs
from topics.storing.log import New, append_all
from topics.people import Person
room, dying = RoomTopic(room={room!r}), Person("guest:dying", "dying", True)
key = logs.key_of(room, dying)
append_all([New(key, word, dying, '{{"body":"%s"}}' % word) for word in ("my", "last", "words")])
os._exit(0)
"""


async def test_what_a_process_stored_before_it_died_reaches_everybody(stack: Stack) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await alice.say("before")
        await asyncio.to_thread(stack.manage, "shell", "--command", LAST_WORDS.format(room=room))
        for member in (alice, bob):
            await member.hears("words", seconds=SECONDS)
            assert member.bodies() == ["before", "my", "last", "words"]
        await bob.say("after")
        await alice.hears("after")


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", [[3, 2, 1], [2, 1, 3, 2, 1, 3], [3], [2, 3]], ids=str)
async def test_hints_in_any_order_are_heard_in_the_logs(stack: Stack, order: list[int], together: bool) -> None:
    room = new_room()
    async with await enter(stack.ws[0].ws_url, room) as alice, await enter(stack.ws[1].ws_url, room) as bob:
        await meet(alice, bob)  # else the layer would not deliver yet what is ephemeral
        await alice.say("0")
        await bob.hears("0")
        events, _ = store_in_room(stack, room, ["1", "2", "3"])
        hints = [events[number - 1] for number in order]
        async with layer(stack) as outside:
            for some in [hints] if together else [[hint] for hint in hints]:
                await outside.publish(f"room/{room}", some)
            await outside.publish(f"room/{room}", [{"frame": OUTSIDE, "by": "nobody"}])
        for member in (alice, bob):
            await member.of_type("typing")  # so it has heard the hints before it, too
            await member.hears("3", seconds=SECONDS)
        await bob.say("4")
        for member in (alice, bob):
            await member.hears("4")
            assert member.bodies() == ["0", "1", "2", "3", "4"]


async def test_processes_that_write_one_room_at_once_are_heard_in_one_order(stack: Stack) -> None:
    room = new_room()
    sockets = [await enter(process.ws_url, room) for process in stack.ws for _ in range(3)]
    await asyncio.gather(*(say_many(socket, 40) for socket in sockets))
    log = [id for _, id, _ in stack.database.messages(room)]
    assert len(log) == 40 * len(sockets)
    for socket in sockets:
        await socket.until(lambda frame: frame["type"] == "message" and frame["id"] == log[-1], "the last message")
        assert [message["id"] for message in socket.messages()] == log
        await socket.leave()


async def say_many(socket: Socket, count: int) -> None:
    await asyncio.gather(*(socket.say(f"{number}") for number in range(count)))

"""People react at the same instant, in two processes: no sign is lost, and whoever was away sees the same."""

import asyncio
from typing import Any

from client import Frame, Socket, enter, new_room
from servers.stack import Stack

TEA = "👍"


def signs(frame: Frame) -> dict[str, int]:
    return {one["emoji"]: one["count"] for one in frame.get("reactions", [])}


async def changes(socket: Socket, seq: int) -> None:
    """Has heard that the log goes so far."""
    await socket.until(lambda frame: frame.get("seq") == seq and frame["type"] == "message", f"number {seq}")


async def test_of_people_who_react_and_edit_at_the_same_instant_none_is_lost(stack: Stack) -> None:
    room = new_room()
    near, far = (process.ws_url for process in stack.ws)
    people = [await enter(near if n % 2 else far, room) for n in range(6)]
    try:
        seq = (await people[0].say("Tea?"))["seq"]
        heart = {"type": "react", "seq": seq, "emoji": "❤️"}
        frames: list[Any] = [{"type": "react", "seq": seq, "emoji": TEA} for _ in people]
        frames[0] = {"type": "react", "seq": seq, "emoji": TEA, "on": True}
        await asyncio.gather(
            *(person.send(frame) for person, frame in zip(people, frames, strict=True)), people[1].send(heart)
        )
        for person in people:
            await changes(person, seq + 7)
        told = {signs(person.messages()[-1]).get(TEA) for person in people}
        assert told == {6}, [person.messages() for person in people]
        await people[2].send({"type": "react", "seq": seq, "emoji": TEA, "on": False})
        await changes(people[0], seq + 8)
        epoch = people[0].welcome["epoch"]
        async with await enter(far, room, since=seq, epoch=epoch) as back, await enter(near, room) as fresh:
            for somebody in (back, fresh):
                assert signs(somebody.messages()[-1]) == {TEA: 5, "❤️": 1}
            names = [who["name"] for one in fresh.messages()[0]["reactions"] for who in one["by"]]
            assert people[2].welcome["you"]["name"] not in names[:5]
        await people[3].send({"type": "react", "id": "unicorn", "seq": seq, "emoji": "🦄"})
        assert (await people[3].error("bad_frame"))["id"] == "unicorn"
    finally:
        for person in people:
            await person.leave()

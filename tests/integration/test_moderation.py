"""Alice keeps order in her room by its pages. Eve disturbs it from two processes, by every way in that there is."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from client import SECONDS, Frame, Socket, dial, enter, new_id, new_room, room_path
from servers.stack import Stack
from visitor import Page, Visitor, room_page


@dataclass
class Room:
    """Alice has made it, and eve, a guest, has said the second thing there."""

    stack: Stack
    name: str
    alice: Visitor
    eve: Visitor

    @property
    def topic(self) -> str:
        return f"room/{self.name}"

    async def does(self, what: str, page: str = "order", **form: str) -> Page:
        path = f"{room_page(self.name)}{page}/"
        done = await asyncio.to_thread(self.alice.post, path, {"do": what, **form})
        assert done.status == 303, done.text
        return done

    async def writes(self, body: str) -> Page:
        """Eve, by the page's form."""
        form = {"body": body}
        return await asyncio.to_thread(self.eve.post, room_page(self.name), form, seen_on="/name/")

    async def posts(self, body: str) -> tuple[int, str]:
        """Eve, by HTTP."""
        event = json.dumps({"id": new_id(), "data": {"body": body}}).encode()
        headers = {"Content_Type": "application/json", "Origin": self.stack.base_url}
        page = await asyncio.to_thread(self.eve.post_raw, f"/topics/{self.topic}", event, **headers)
        return page.status, json.loads(page.text).get("code", "")

    async def sockets(self) -> list[Socket]:
        """Eve's tabs: in each process one of either protocol."""
        found = []
        for process in self.stack.ws:
            found.append(await enter(process.ws_url, self.name, headers=self.eve.cookies))
            socket = Socket(await dial(f"{process.ws_url}/ws/", subprotocols=["topics.v1"], headers=self.eve.cookies))
            await socket.send({"type": "join", "topic": self.topic})
            await socket.of_type("joined")
            found.append(socket)
        return found

    def saying(self, socket: Socket, body: str) -> Frame:
        if socket.connection.subprotocol == "topics.v1":
            return {"type": "send", "topic": self.topic, "id": new_id(), "data": {"body": body}}
        return {"type": "message", "id": new_id(), "body": body}

    async def is_refused(self, socket: Socket, code: str) -> Frame:
        """Says something again and again, until that is refused so."""
        async with asyncio.timeout(SECONDS):
            while True:
                frame = self.saying(socket, "and I say")
                await socket.send(frame)
                answer = await socket.until(lambda heard, id=frame["id"]: is_answer(heard, id), "an answer")
                if answer["type"] == "error":
                    assert answer["code"] == code, answer
                    return answer
                await asyncio.sleep(0.1)


def is_answer(heard: Frame, id: Any) -> bool:
    return heard["type"] in {"ack", "error"} and heard.get("id") == id


@pytest.fixture
async def room(stack: Stack) -> Room:
    alice, eve, name = Visitor(stack.base_url), Visitor(stack.base_url), new_room()
    account = new_room("alice")
    form = {"username": account, "password": stack.make_user(account)}
    assert (await asyncio.to_thread(alice.post, "/accounts/login/", form)).status == 302
    made = Room(stack, name, alice, eve)
    assert (await asyncio.to_thread(alice.post, room_page(name), {"body": "welcome"})).status == 303
    await asyncio.to_thread(eve.get, "/")
    assert (await made.writes("rubbish")).status == 303
    return made


async def test_what_is_done_to_eve_is_seen_in_every_process(room: Room) -> None:
    hers = await room.sockets()
    try:
        await room.does("remove", "2/about", reason="spam")
        for socket in hers:
            gone = await socket.until(lambda frame: frame.get("about") == 2, "the removal")
            assert gone["retracted"] is True
            assert gone.get("by") is None
            assert not gone.get("user", {}).get("name"), "nobody is told by whom"
        page = await asyncio.to_thread(room.eve.get, f"/topics/{room.topic}")
        assert "rubbish" not in page.text
        assert [one["by"] for one in json.loads(page.text)["events"][1:]] == [None, None], "nor whose it was"

        await room.does("mute", "2/about", minutes="10", reason="calm down")
        for socket in hers:
            refused = await room.is_refused(socket, "muted")
            assert refused["detail"].startswith("You are muted in this room until ")
            assert refused["detail"].endswith("Reason: calm down")
        assert await room.posts("by HTTP") == (403, "muted")
        assert (await room.writes("by a form")).status == 403
        listed = (await asyncio.to_thread(room.alice.get, f"{room_page(room.name)}order/")).text
        which = listed.partition('name="which" value="')[2].partition('"')[0]
        await room.does("lift", which=which)
        async with asyncio.timeout(SECONDS):
            while (await room.posts("after that"))[0] != 201:
                await asyncio.sleep(0.1)

        await room.does("slow", seconds="300")
        for socket in hers:
            slow = await room.is_refused(socket, "rate_limited")
            assert 0 < slow["retry_after_ms"] <= 300_001
        assert (await room.posts("fast"))[0] == 429
        await room.does("slow", seconds="0")

        await room.does("close")
        for socket in hers:
            await room.is_refused(socket, "read_only")
        await room.does("reopen")

        await room.does("ban", "2/about", minutes="60", reason="enough")
        for socket in hers:
            if socket.connection.subprotocol == "topics.v1":
                left = await socket.of_type("left")
                assert left["reason"] == "forbidden"
                assert "Reason: enough" in left["detail"]
                await room.is_refused(socket, "banned")
            else:
                goodbye = await socket.of_type("goodbye")
                assert (goodbye["reason"], await socket.closed()) == ("forbidden", 4403)
                assert "Reason: enough" in goodbye["detail"]
        for process in room.stack.ws:
            again = Socket(await dial(process.ws_url + room_path(room.name), headers=room.eve.cookies))
            assert await again.closed() == 4403
        assert await room.posts("by HTTP") == (403, "banned")
        assert (await asyncio.to_thread(room.eve.get, f"/topics/{room.topic}")).status == 403
        assert (await asyncio.to_thread(room.eve.get, room_page(room.name))).status == 403
        refused_page = await room.writes("but listen")
        assert (refused_page.status, "but listen" in refused_page.text) == (403, True)
    finally:
        for socket in hers:
            await socket.leave()
    listed = (await asyncio.to_thread(room.alice.get, f"{room_page(room.name)}order/")).text
    done = [listed.index(f": {verb}") for verb in ("ban", "reopen", "close", "unmute", "mute", "remove")]
    assert done == sorted(done), "the last one first"

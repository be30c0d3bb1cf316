"""A closed room: every way in, as somebody who may come in and as all who may not, with two processes on Postgres.

Alice owns the room, bob is a member, carol was one, dora has an account and was never asked, a guest has a name alone,
and a stranger not even that.
"""

import asyncio
import json
import re
from collections.abc import Callable
from time import monotonic

import pytest
from websockets.exceptions import ConnectionClosed

from client import Socket, dial, enter, new_id, new_room, room_path
from servers.stack import Stack
from visitor import Page, Visitor, room_page

NOWHERE = "~" + 32 * "0"
TITLE = "Surprise for Carol"
PASSWORD = "correct horse battery"
AT_ONCE, SLACK = 1.0, 20.0  # seconds, as promised; for a machine that has other things to do


class Someone(Visitor):
    def __init__(self, stack: Stack, name: str = "") -> None:
        super().__init__(stack.base_url)
        self.name, self.stack = name and new_room(name), stack
        if name:
            form = {"username": self.name, "password1": PASSWORD, "password2": PASSWORD}
            assert self.post("/accounts/sign-up/", form).status == 302

    @property
    def key(self) -> str:
        return re.findall(r'data-key="(\w+)"', self.get("/").text)[0]


class Nobody(Someone):
    """Keeps no cookies."""

    def get(self, path: str, **headers: str) -> Page:
        self.jar.clear()
        return super().get(path, **headers)


class Scene:
    """Made once for a kind of server: alice has said something, and carol has read it and been removed."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.alice, self.bob, self.carol, self.dora = (
            Someone(stack, name) for name in ("alice", "bob", "carol", "dora")
        )
        self.word = new_room("kettle").replace("-", "")
        made = self.alice.post("/", {"name": TITLE, "closed": "on"})
        self.path = made.headers["Location"]
        self.room = self.path.split("/")[2]
        self.about = f"{self.path}about/"
        for somebody in (self.bob, self.carol):
            self.add(somebody)
        assert self.alice.post(self.path, {"body": f"{self.word} for carol"}).status == 303
        self.carol.post(f"{self.path}read/", {"seq": "1"}, seen_on="/")
        assert TITLE in self.carol.get("/").text
        self.remove(self.carol)

    def add(self, somebody: Someone) -> None:
        assert self.alice.post(self.about, {"do": "add", "name": somebody.name}).status == 303
        assert somebody.name in self.alice.get(self.about).text

    def remove(self, somebody: Someone) -> None:
        line = next(line for line in self.alice.get(self.about).text.split("<li>") if somebody.name in line)
        member = re.findall(r'name="member" value="(\d+)"', line)[0]
        assert self.alice.post(self.about, {"do": "remove", "member": member}).status == 303

    @property
    def outside(self) -> dict[str, Someone]:
        guest, stranger = Someone(self.stack), Nobody(self.stack)
        guest.get("/")
        return {"ex-member": self.carol, "account": self.dora, "guest": guest, "stranger": stranger}


@pytest.fixture(scope="module")
def scene(stacks: Callable[[str], Stack]) -> Scene:
    return Scene(stacks("daphne"))


# --- Each way in: what somebody gets by it ---------------------------------------------------------------

PAGES = ["", "?at=1", "1/", "about/", "search/?q=kettle"]
FORMS = [
    ("", {"body": "let me in"}),
    ("1/", {"remove": "1"}),
    ("1/react/", {"sign": "x"}),
    ("read/", {"seq": "1"}),
    ("about/", {"do": "leave"}),
]
TOPICS = ["", "?after=0", "?members"]


def by_pages(somebody: Someone, room: str) -> list[object]:
    """By pages and forms, and over HTTP."""
    got: list[object] = [somebody.get(room_page(room) + page).status for page in PAGES]
    got += [somebody.post(room_page(room) + path, form, seen_on="/name/").status for path, form in FORMS]
    got += [somebody.get(f"/topics/room/{room}{query}").status for query in TOPICS]
    posted = json.dumps({"data": {"body": "by HTTP"}}).encode()
    got.append(somebody.post_raw(f"/topics/room/{room}", posted, Content_Type="application/json").status)
    got.append(somebody.get(f"/topics/room/{room}", Accept="text/event-stream").status)
    return got


async def by_sockets(somebody: Someone, room: str) -> list[object]:
    """By both protocols, and by telling one's own news what one has read."""
    key, got = await asyncio.to_thread(lambda: somebody.key), []
    for process in somebody.stack.ws:
        direct = Socket(await dial(process.ws_url + room_path(room), headers=somebody.cookies))
        got += [(await direct.of_type("goodbye"))["reason"], await direct.closed()]
        socket = Socket(await dial(f"{process.ws_url}/ws/", subprotocols=["topics.v1"], headers=somebody.cookies))
        await socket.send({"type": "join", "topic": f"room/{room}"})
        got.append((await socket.of_type("error"))["code"])
        await socket.send({"type": "send", "topic": f"room/{room}", "id": "s", "data": {"body": "by socket"}})
        got.append((await socket.until(lambda frame: frame.get("id") == "s", "an answer"))["code"])
        news = {"read": f"room/{room}", "seq": 1}
        await socket.send({"type": "send", "topic": f"lobby/{key}", "id": "n", "data": news})
        got.append((await socket.until(lambda frame: frame.get("id") == "n", "an answer"))["code"])
        await socket.leave()
    return got


def lists(somebody: Someone, scene: Scene) -> str:
    """All that tells of many rooms at once."""
    paths = ["/", "/rooms/", f"/search/?q={scene.word}", f"/rooms/?beside={scene.room}", f"/?after=9{16 * '0'}-zz"]
    return "".join(somebody.get(path).text for path in paths)


async def test_for_who_may_not_come_in_the_room_is_as_one_that_is_not_there(scene: Scene) -> None:
    for who, somebody in scene.outside.items():
        by = [by_pages(somebody, room) for room in (scene.room, NOWHERE)]
        assert by[0] == by[1], who
        assert {*by[0]} == {404}, who
        sockets = [await by_sockets(somebody, room) for room in (scene.room, NOWHERE)]
        assert sockets[0] == sockets[1], who
        assert {*sockets[0]} == {"no_such_room", 4404, "no_such_topic"}, who
        text = await asyncio.to_thread(lists, somebody, scene)
        assert (scene.room in text.replace(f"beside={scene.room}", ""), TITLE in text) == (False, False), who
        assert "for carol" not in text, who
        inspector = somebody.get("/topics/", Accept="application/json")
        assert inspector.status in {302, 403}, who
    assert "let me in" not in scene.alice.get(scene.path).text


async def test_members_find_it_everywhere_and_nothing_that_others_tried_is_in_it(scene: Scene) -> None:
    text = await asyncio.to_thread(lists, scene.bob, scene)
    assert text.count(TITLE) >= 4
    assert "for carol" in text
    page = scene.bob.get(scene.path).text
    assert re.findall(r"<title>(.*)</title>", page) == [f"(1) {TITLE} · Rooms"]
    assert scene.bob.get(f"/topics/room/{scene.room}").status == 200
    for process in scene.stack.ws:
        socket = await enter(process.ws_url, scene.room, headers=scene.bob.cookies)
        assert [message["body"] for message in socket.messages()][:1] == [f"{scene.word} for carol"]
        await socket.say(f"hello {new_id()}")
        await socket.leave()


async def follow_news(somebody: Someone, url: str) -> Socket:
    key = await asyncio.to_thread(lambda: somebody.key)
    socket = Socket(await dial(f"{url}/ws/", subprotocols=["topics.v1"], headers=somebody.cookies))
    await socket.send({"type": "join", "topic": f"lobby/{key}"})
    await socket.of_type("joined")
    return socket


def news_of(socket: Socket, topic: str) -> list[object]:
    told = [frame["data"] for frame in socket.frames if frame["type"] == "signal"]
    return [one for data in told for one in [*data.get("news", []), data.get("rooms", {})] if one.get("topic") == topic]


async def test_news_are_told_to_members_alone_also_to_those_who_have_read_nothing_yet(scene: Scene) -> None:
    outside, process = scene.outside, scene.stack.ws[-1]
    del outside["stranger"]  # whom no news are told
    others = [await follow_news(somebody, process.ws_url) for somebody in outside.values()]
    bobs, open_room = await follow_news(scene.bob, process.ws_url), new_room()
    alice = await enter(scene.stack.ws[0].ws_url, scene.room, headers=scene.alice.cookies)
    await alice.say("a word among us")
    await bobs.until(lambda _: news_of(bobs, f"room/{scene.room}"), "news of the closed room")
    speaker = await enter(process.ws_url, open_room)
    await speaker.say("a word for all")
    for socket in others:
        await socket.until(lambda _, s=socket: news_of(s, f"room/{open_room}"), "news of the open room")
        assert news_of(socket, f"room/{scene.room}") == []
    for socket in (*others, bobs, alice, speaker):
        await socket.leave()


async def test_who_is_added_hears_of_it_and_who_is_removed_is_out_at_once_everywhere(scene: Scene) -> None:
    topic, erin = f"room/{scene.room}", Someone(scene.stack, "erin")
    lobbies = [await follow_news(erin, process.ws_url) for process in scene.stack.ws]
    await asyncio.to_thread(scene.add, erin)
    for socket in lobbies:
        await socket.until(lambda _, s=socket: {"topic": topic, "joined": True} in news_of(s, topic), "that she is in")
    rooms = [await enter(process.ws_url, scene.room, headers=erin.cookies) for process in scene.stack.ws]
    many = lobbies[0]
    await many.send({"type": "join", "topic": topic})
    await many.until(lambda frame: frame["type"] == "joined" and frame["topic"] == topic, "that she follows")
    await asyncio.to_thread(scene.remove, erin)
    deadline = monotonic() + AT_ONCE + SLACK
    for socket in rooms:
        goodbye = await socket.of_type("goodbye", max(0.1, deadline - monotonic()))
        assert (goodbye["reason"], await socket.closed()) == ("forbidden", 4403)
    await many.until(lambda frame: frame["type"] == "left" and frame["topic"] == topic, "that she is out")
    for socket in lobbies:
        await socket.until(
            lambda _, s=socket: {"topic": topic, "joined": False} in news_of(s, topic), "that she is out"
        )
    with pytest.raises((AssertionError, ConnectionClosed)):
        await enter(scene.stack.ws[0].ws_url, scene.room, headers=erin.cookies)
    for socket in lobbies:
        await socket.leave()

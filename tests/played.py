"""A server that the test plays, before a real page of a room: every frame in the order that hurts."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from playwright.async_api import Page, WebSocketRoute, expect

from browser import SECONDS

EPOCH = "anepoch"
ALICE = {"name": "Alice", "guest": True}
BOB = {"key": "bobs-bobs-bobs-b", "name": "Bob", "guest": False}
LIMITS = {"topics": 100, "data_bytes": 61_440, "signal_bytes": 4_096}


class Played:
    """The server's side of every socket that one page opens. `key` is the page's person's."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.key = ""
        self.room = ""
        self.dials: list[WebSocketRoute] = []
        self.heard: list[dict[str, Any]] = []

    async def begin(self) -> None:
        await self.page.route_web_socket("**/ws/", self._accept)

    async def look(self) -> None:
        """Whose page it is, and of which room."""
        room = self.page.locator("#room")
        self.key = await room.get_attribute("data-key") or ""
        self.room = f"room/{await room.get_attribute('data-room')}"

    def _accept(self, socket: WebSocketRoute) -> None:
        self.dials.append(socket)
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def send(self, *frames: dict[str, Any]) -> None:
        """Frames of the room: each carries its name."""
        self.dials[-1].send(json.dumps([{"topic": self.room, **frame} for frame in frames]))

    def welcome(self, *messages: dict[str, Any], recovered: bool = True, **fields: Any) -> None:
        """To the page, and into the room: what it asks for comes with what the page will find that it asked."""
        you = {"key": fields.pop("key", self.key), **fields.pop("you", ALICE)}
        self.send({"type": "welcome", "you": you, "ping_seconds": 20, "limits": LIMITS})
        seq = max([message["seq"] for message in messages], default=0)
        position = {"type": "joined", "epoch": EPOCH, "seq": seq, "recovered": recovered, "events": messages}
        self.send({**position, "members": [BOB], "member_count": 1, **fields})

    async def close(self, code: int, after_ms: int = 0) -> None:
        self.send({"type": "goodbye", "reason": "r", "after_ms": after_ms})
        await self.dials[-1].close(code=code)

    async def dialled(self, times: int) -> None:
        """Waits for that dial."""
        await until(lambda: len(self.dials) >= times)

    async def asked(self, times: int) -> dict[str, Any]:
        """Waits until the room was asked for so often; returns from where on."""
        await until(lambda: len(self._joins) >= times)
        return {name: self._joins[times - 1][name] for name in ("since", "epoch")}

    async def hears(self, number: int = 1) -> dict[str, Any]:
        """Waits until so many messages have come in; returns the last."""
        await until(lambda: len(self.messages) >= number)
        return self.messages[-1]

    @property
    def _joins(self) -> list[dict[str, Any]]:
        return self._of_room("join")

    def _of_room(self, kind: str) -> list[dict[str, Any]]:
        """The page follows the news of all rooms as well."""
        return [frame for frame in self.heard if frame["type"] == kind and frame["topic"] == self.room]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [{"id": frame["id"], "body": frame["data"]["body"]} for frame in self._of_room("send")]

    @property
    def typing(self) -> int:
        """How often the page has said that somebody types."""
        return sum(frame["type"] == "signal" and frame["data"] == {"typing": True} for frame in self.heard)


def message(seq: int, body: str | None = None, id: str | None = None) -> dict[str, Any]:
    said = {"type": "event", "seq": seq, "id": id or f"bobs-{seq}", "by": BOB}
    return {**said, "data": {"body": body or f"n{seq}"}, "at": "2026-01-02T03:04:05.678Z"}


def own(server: Played, seq: int, frame: dict[str, Any]) -> dict[str, Any]:
    """What the page has sent, as the room's log has it."""
    return {**message(seq, frame["body"], frame["id"]), "by": {"key": server.key, **ALICE}}


def ack(frame: dict[str, Any], seq: int) -> dict[str, Any]:
    return {"type": "ack", "id": frame["id"], "seq": seq, "at": "2026-01-02T03:04:05.678Z"}


def typing(person: dict[str, Any]) -> dict[str, Any]:
    return {"type": "signal", "by": person, "data": {"typing": True}}


async def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def shows(page: Page, *bodies: str) -> None:
    await expect(page.locator("#messages > li .body")).to_have_text(list(bodies))

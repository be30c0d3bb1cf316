"""A server that the test plays, before a real page: every frame in the order that hurts."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, WebSocketRoute, expect

EPOCH = "anepoch"
ALICE = {"name": "Alice", "guest": True}
BOB = {"name": "Bob", "guest": False}


class Played:
    """The server's side of every socket that one page opens."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dials: list[WebSocketRoute] = []
        self.heard: list[dict[str, Any]] = []

    async def begin(self) -> None:
        await self.page.route_web_socket("**/ws/room/**", self._accept)

    def _accept(self, socket: WebSocketRoute) -> None:
        self.dials.append(socket)
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def send(self, *frames: dict[str, Any]) -> None:
        self.dials[-1].send(json.dumps(frames))

    def welcome(self, *messages: dict[str, Any], recovered: bool = True, **fields: Any) -> None:
        seq = max([message["seq"] for message in messages], default=0)
        fixed = {"type": "welcome", "room": "r", "you": ALICE, "epoch": EPOCH, "seq": seq}
        people = {"members": [BOB], "member_count": 1, "ping_seconds": 20, "limits": {"body": 4000}}
        self.send({**fixed, **people, "recovered": recovered, "messages": messages, **fields})

    async def close(self, code: int, after_ms: int = 0) -> None:
        self.send({"type": "goodbye", "reason": "r", "after_ms": after_ms})
        await self.dials[-1].close(code=code)

    async def dialled(self, times: int) -> dict[str, list[str]]:
        """Waits for that dial; returns its query."""
        await until(lambda: len(self.dials) >= times)
        return parse_qs(urlsplit(self.dials[-1].url).query)

    async def hears(self, number: int = 1) -> dict[str, Any]:
        """Waits until so many messages have come in; returns the last."""
        await until(lambda: len(self.messages) >= number)
        return self.messages[-1]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [frame for frame in self.heard if frame["type"] == "message"]


def message(seq: int, body: str | None = None, id: str | None = None) -> dict[str, Any]:
    said = {"type": "message", "seq": seq, "id": id or f"bobs-{seq}", "user": BOB}
    return {**said, "body": body or f"n{seq}", "at": "2026-01-02T03:04:05.678Z"}


def ack(frame: dict[str, Any], seq: int) -> dict[str, Any]:
    return {"type": "ack", "id": frame["id"], "seq": seq, "at": "2026-01-02T03:04:05.678Z"}


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def shows(page: Page, *bodies: str) -> None:
    await expect(page.locator("#messages > li .body")).to_have_text(list(bodies))

"""One tab's socket, in the world's loop: the real consumer, without a server."""

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any, Final

from topics.client import Refused
from topics.delivery.consumer import TopicsConsumer
from topics.delivery.frames import PROTOCOL

Frame = dict[str, Any]

NOBODYS: Final = {"welcome", "pong"}  # frames that no test waits for
TOLD: Final = ("event", "change", "signal", "left", "error", "goodbye")  # what `nothing` means unless said otherwise
SETTLE_SECONDS: Final = 0.1  # for what is on its way though the tab has been answered
SHOWN: Final = 20  # frames in an error, of 200 characters each


class Visitor:
    """`came` are frames that have come and were not asked for, `positions` how far each joined topic has come."""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.headers = headers
        self.came: list[Frame] = []
        self.joined: dict[str, Frame] = {}
        self.positions: dict[str, tuple[str, int]] = {}
        self.you: Frame = {}
        self.code: int | None = None
        self._goodbye = ""
        self._inbox: asyncio.Queue[Frame] | None = None
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    # --- Coming and going ----------------------------------------------------------------------------

    async def come(self) -> None:
        """Dials, and joins again what was joined, from where it was."""
        if self._inbox is not None:
            raise AssertionError("This tab is connected: cut it first.")
        self.code, self._goodbye, self._inbox = None, "", asyncio.Queue()
        self._inbox.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "path": "/ws/",
            "headers": self.headers,
            "query_string": b"",
            "client": ["127.0.0.1", 0],
            "subprotocols": [PROTOCOL],
        }
        self._task = asyncio.create_task(TopicsConsumer.as_asgi()(scope, self._inbox.get, self._hear))
        self.you = (await self.take(lambda frame: frame["type"] == "welcome"))["you"]
        for topic, (epoch, since) in list(self.positions.items()):
            joined = await self.join(topic, since, epoch)
            self.came += joined["events"] if joined["recovered"] else [joined]

    async def go(self, code: int) -> None:
        """Without a word, as a phone in a tunnel does, or with the code of a page that is closed."""
        if self._inbox is not None:
            self._inbox.put_nowait({"type": "websocket.disconnect", "code": code})
        if self._task is not None:
            await asyncio.wait([self._task])
        self._inbox = self._task = None

    async def _hear(self, message: Frame) -> None:
        if message["type"] == "websocket.close":
            self.code = message.get("code")
            if self._inbox is not None:
                self._inbox.put_nowait({"type": "websocket.disconnect", "code": self.code})
                self._inbox = None
        elif message["type"] == "websocket.send":
            frame = json.loads(message["text"])
            self._note(frame)
            self.came.append(frame)
        self._news.set()

    def _note(self, frame: Frame) -> None:
        kind, topic = frame["type"], frame.get("topic", "")
        if kind == "joined":
            self.joined[topic] = frame
            last = frame["events"][-1]["seq"] if frame["events"] else None
            since = self.positions.get(topic, ("", 0))[1] if frame["recovered"] else frame["seq"]
            self.positions[topic] = frame["epoch"], since if last is None else last
        elif kind in {"event", "change"} and topic in self.positions:
            self.positions[topic] = frame.get("epoch") or self.positions[topic][0], frame["seq"]
        elif kind == "left":
            self.positions.pop(topic, None)
        elif kind == "goodbye":
            self._goodbye = frame["reason"]

    # --- Saying --------------------------------------------------------------------------------------

    def say(self, **frame: Any) -> None:
        if self._inbox is None:
            raise AssertionError(f"This tab is not connected: {self.why_not()}.")
        self._inbox.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    def why_not(self) -> str:
        if self.code is None:
            return "it was cut, and is not back"
        return f"the server has closed it with {self.code} ({self._goodbye or 'without a goodbye'})"

    async def join(self, topic: str, since: int | None = None, epoch: str | None = None) -> Frame:
        self.say(type="join", topic=topic, **({} if since is None else {"since": since, "epoch": epoch or ""}))
        return await self.answer(lambda frame: frame["type"] == "joined" and frame["topic"] == topic, topic)

    async def leave(self, topic: str) -> Frame:
        self.say(type="leave", topic=topic)
        return await self.answer(lambda frame: frame["type"] == "left" and frame["topic"] == topic, topic)

    async def send(self, topic: str, data: Any, id: str | None) -> Frame:
        id = id or secrets.token_hex(12)
        self.say(type="send", topic=topic, id=id, data=data)
        return await self.answer(lambda frame: frame["type"] == "ack" and frame["id"] == id, topic, id)

    async def read(self, topic: str, seq: int) -> int:
        self.say(type="read", topic=topic, seq=seq)
        frame = await self.answer(lambda frame: frame["type"] == "unread" and frame["topic"] == topic, topic)
        return int(frame["unread"])

    async def signal(self, topic: str, data: Any) -> None:
        """A signal is answered only where it is refused."""
        self.say(type="signal", topic=topic, data=data)
        self.say(type="ping")
        await self.answer(lambda frame: frame["type"] == "pong", topic)

    async def answer(self, fits: Callable[[Frame], bool], topic: str, id: str | None = None) -> Frame:
        """Raises Refused where an error is the answer."""

        def refused(frame: Frame) -> bool:
            return frame["type"] == "error" and (frame.get("topic"), frame.get("id")) == (topic, id)

        frame = await self.take(lambda frame: fits(frame) or refused(frame))
        if frame["type"] == "error":
            after = frame.get("retry_after_ms")
            raise Refused(frame["code"], frame["detail"], None if after is None else after / 1_000)
        return frame

    # --- Hearing -------------------------------------------------------------------------------------

    async def take(self, fits: Callable[[Frame], bool]) -> Frame:
        """The first frame that fits and was not taken yet."""
        while True:
            for place, frame in enumerate(self.came):
                if fits(frame):
                    return self.came.pop(place)
            if self._task is None or self._task.done():
                if self._task is not None and not self._task.cancelled() and (error := self._task.exception()):
                    raise error
                raise AssertionError(f"Nothing more comes, {self.why_not()}. {self.heard()}")
            self._news.clear()
            await asyncio.wait([asyncio.ensure_future(self._news.wait()), self._task], return_when="FIRST_COMPLETED")

    async def next(self, type: str, topic: str | None) -> Frame:
        return await self.take(lambda frame: frame["type"] == type and topic in (None, frame.get("topic")))

    async def nothing(self, types: tuple[str, ...], topic: str | None) -> None:
        """Everything that was said before has been done when this looks."""
        if self._inbox is not None:
            self.say(type="ping")
            await self.take(lambda frame: frame["type"] == "pong")
            await asyncio.sleep(SETTLE_SECONDS)
        for frame in self.came:
            if frame["type"] in (types or TOLD) and topic in (None, frame.get("topic")):
                raise AssertionError(f"Something came: {shown(frame)}")

    def heard(self) -> str:
        """For people: the frames that did come and were not taken."""
        frames = [frame for frame in self.came if frame["type"] not in NOBODYS]
        if not frames:
            return "No other frame has come."
        return "These have come: " + "".join(f"\n  {shown(frame)}" for frame in frames[-SHOWN:])


def shown(frame: Frame) -> str:
    return json.dumps(frame, ensure_ascii=False)[:200]

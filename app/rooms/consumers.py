"""One person's socket in one room: the protocol rooms.v1."""

from typing import Any, Final

from rooms import frames
from rooms.dialect import RoomsV1
from rooms.frames import Amend, ClientFrame, React, Retract, Say, Typing
from rooms.topics import RoomTopic
from topics.sockets import OneTopic
from topics.wording import PONG, Ping

TYPING_SECONDS: Final = 1  # between two `typing` of one socket that are passed on


class RoomConsumer(OneTopic):
    dialect = RoomsV1()
    subprotocols = (frames.BATCH_PROTOCOL, frames.PROTOCOL)
    batch_subprotocols = frozenset({frames.BATCH_PROTOCOL})

    __slots__ = ("author", "typed_at")

    def __init__(self) -> None:
        super().__init__()
        self.typed_at = 0.0

    def topic(self, scope: dict[str, Any]) -> RoomTopic:
        return RoomTopic(room=scope["url_route"]["kwargs"]["room_name"])

    async def arrived(self, asked: Any) -> None:
        self.author = self.person.as_author
        await super().arrived(asked)

    async def hear(self, frame: ClientFrame) -> None:
        if isinstance(frame, Say):
            said: dict[str, Any] = {"body": frame.body}
            if frame.reply is not None:
                said["reply"] = frame.reply
            if frame.files:
                said["files"] = frame.files
            await self.send(frame, frame.id, said | mentions(frame), by=self.author)
        elif isinstance(frame, Typing):
            await self.typing()
        elif isinstance(frame, Amend):
            await self.send(frame, frame.id, {"about": frame.seq, "body": frame.body} | mentions(frame))
        elif isinstance(frame, Retract):
            await self.send(frame, frame.id, {"about": frame.seq, "retract": True})
        elif isinstance(frame, React):
            await self.send(frame, frame.id, {"about": frame.seq, "react": frame.emoji, "on": frame.on})
        elif isinstance(frame, Ping):
            await self.reply(PONG)

    async def typing(self) -> None:
        now = self.loop.time()
        if now - self.typed_at >= TYPING_SECONDS:
            self.typed_at = now
            await self.signal({"typing": True})


def mentions(frame: Say | Amend) -> dict[str, Any]:
    return {} if frame.mentions is None else {"mentions": frame.mentions}

"""One person's socket in one room, or with one topic."""

import asyncio
from typing import Any, Self

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.people.hearing import Hearing
from client import BATCH, room_path

HANDSHAKE_SECONDS = 120


class Frame(msgspec.Struct):
    type: str
    seq: int = 0
    id: str = ""
    epoch: str = ""
    recovered: bool = False
    code: str = ""
    messages: list["Frame"] = []
    events: list["Frame"] = []


decode = msgspec.json.Decoder(Frame | list[Frame]).decode


class Person(WSListener, Hearing):  # type: ignore[misc]
    """Enters, and comes back with what was heard last."""

    def __init__(self, room: str, *, batch: bool = False, keeps: bool = False, numbered: bool = True) -> None:
        Hearing.__init__(self, room, keeps=keeps, numbered=numbered)
        self.batch = batch
        self.transport: Any = None
        self.welcomed: asyncio.Future[None] | None = None
        self.on_welcome = self._come_in

    async def enter(self, base: str, *, cookie: str = "") -> Self:
        """Returns with the welcome. OSError or picows.WSError where it fails, TimeoutError without a welcome."""
        self.welcomed = asyncio.get_running_loop().create_future()
        headers = {"Cookie": cookie} if cookie else {}
        if subprotocol := self.subprotocol():
            headers["Sec-WebSocket-Protocol"] = subprotocol
        await ws_connect(
            lambda: self,
            base + self.path(),
            extra_headers=headers,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
        )
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            await self.welcomed
        return self

    def subprotocol(self) -> str:
        return BATCH if self.batch else ""

    def path(self) -> str:
        query = {"since": self.last, "epoch": self.epoch} if self.epoch else {}
        return room_path(self.room, **query)

    def say(self, id: str, body: str) -> None:
        """Both in letters that JSON does not escape."""
        self.send(f'{{"type":"message","id":"{id}","body":"{body}"}}')

    def send(self, text: str) -> None:
        self.transport.send(WSMsgType.TEXT, text.encode())

    def cut(self) -> None:
        """Vanish, without a close frame."""
        if self.transport is not None:
            self.transport.disconnect(graceful=False)

    async def leave(self) -> None:
        if self.transport is not None:
            self.transport.send_close(1000)
            self.transport.disconnect()
            await self.transport.wait_disconnected()

    # --- picows calls these ----------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            frames = decode(frame.get_payload_as_memoryview())
            for one in frames if type(frames) is list else (frames,):
                self.hear(one)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.welcomed is not None and not self.welcomed.done():
            self.welcomed.set_exception(ConnectionResetError("closed before the welcome"))

    def _come_in(self) -> None:
        if self.welcomed is not None and not self.welcomed.done():
            self.welcomed.set_result(None)


class Member(Person):
    """The same in a hall, a topic of the foreign app: welcomed by the socket, let in by the topic."""

    let_in_by = "joined"

    def subprotocol(self) -> str:
        return "topics.v1.batch" if self.batch else "topics.v1"

    def path(self) -> str:
        return "/ws/"

    def say(self, id: str, body: str) -> None:
        self.send(f'{{"type":"send","topic":"hall/{self.room}","id":"{id}","data":{{"body":"{body}"}}}}')

    def hear(self, frame: Any) -> None:
        if frame.type == "welcome":
            resume = f',"since":{self.last},"epoch":"{self.epoch}"' if self.epoch else ""
            self.send(f'{{"type":"join","topic":"hall/{self.room}"{resume}}}')
        else:
            super().hear(frame)

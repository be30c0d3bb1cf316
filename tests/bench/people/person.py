"""One person's socket in one room: speaks, hears, and notes whatever a server must not do."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from client import BATCH, room_path

HANDSHAKE_SECONDS = 60
NEVER: Callable[..., None] = lambda *_: None  # noqa: E731


class Frame(msgspec.Struct):
    """What is looked at of a server's frame; everything else is passed over."""

    type: str
    seq: int = 0
    id: str = ""
    epoch: str = ""
    recovered: bool = False
    code: str = ""
    messages: list["Frame"] = []


decode = msgspec.json.Decoder(Frame | list[Frame]).decode


class Person(WSListener):
    """`last` is the last number heard, `heard` all of them with their ids where `keeps` is true.

    `numbered` servers number a room's messages 1, 2, 3…, so that any gap is wrong.
    """

    def __init__(self, room: str, *, batch: bool = False, keeps: bool = False, numbered: bool = True) -> None:
        self.room, self.batch, self.keeps, self.numbered = room, batch, keeps, numbered
        self.last = self.count = self.welcomes = 0
        self.epoch = ""
        self.heard: list[tuple[int, str]] = []
        self.wrong: list[str] = []
        self.on_ack: Callable[[Person, str, int], None] = NEVER
        self.on_message: Callable[[str], None] = NEVER
        self.on_close: Callable[[Person], None] = NEVER
        self.transport: Any = None
        self.welcomed: asyncio.Future[None] | None = None

    async def enter(self, base: str, *, cookie: str = "") -> Self:
        """Returns with the welcome, which says that one is back where one was before.

        OSError or picows.WSError where the handshake fails, TimeoutError without a welcome.
        """
        query = {"since": self.last, "epoch": self.epoch} if self.epoch else {}
        self.welcomed = asyncio.get_running_loop().create_future()
        headers = {"Cookie": cookie} if cookie else {}
        if self.batch:
            headers["Sec-WebSocket-Protocol"] = BATCH
        await ws_connect(
            lambda: self,
            base + room_path(self.room, **query),
            extra_headers=headers,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
        )
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            await self.welcomed
        return self

    def say(self, id: str, body: str) -> None:
        """Both in letters that JSON does not escape."""
        self.transport.send(WSMsgType.TEXT, f'{{"type":"message","id":"{id}","body":"{body}"}}'.encode())

    def cut(self) -> None:
        """Vanish, without a close frame."""
        if self.transport is not None:
            self.transport.disconnect(graceful=False)

    async def leave(self) -> None:
        if self.transport is not None:
            self.transport.send_close(1000)
            self.transport.disconnect()
            await self.transport.wait_disconnected()

    # --- What comes --------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.on_close(self)
        if self.welcomed is not None and not self.welcomed.done():
            self.welcomed.set_exception(ConnectionResetError("closed before the welcome"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            frames = decode(frame.get_payload_as_memoryview())
            for one in frames if type(frames) is list else (frames,):
                self.hear(one)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def hear(self, frame: Frame) -> None:
        kind = frame.type
        if kind == "message":
            self.read(frame)
        elif kind == "ack":
            self.on_ack(self, frame.id, frame.seq)
        elif kind == "welcome":
            self.come_in(frame)
        elif kind in ("error", "goodbye"):
            self.wrong.append(f"{kind} {frame.code}")

    def come_in(self, welcome: Frame) -> None:
        if self.epoch and not (welcome.recovered and welcome.epoch == self.epoch):
            self.wrong.append(f"no resume from {self.last}")
        if not self.epoch and not welcome.messages:
            self.last = welcome.seq
        self.epoch = welcome.epoch
        self.welcomes += 1
        for message in welcome.messages:
            self.read(message)
        if self.welcomed is not None and not self.welcomed.done():
            self.welcomed.set_result(None)

    def read(self, message: Frame) -> None:
        if self.numbered and message.seq != self.last + 1:
            self.wrong.append(f"{message.seq} came after {self.last}")
        self.last = message.seq
        self.count += 1
        if self.keeps:
            self.heard.append((message.seq, message.id))
        self.on_message(message.id)

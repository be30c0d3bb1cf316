"""One socket of the crowd, by picows: hears, and says where it is a sender."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.load.account import Known, Numbers
from bench.load.talk import Talk, body

HANDSHAKE_SECONDS = 30


class Socket(WSListener):  # type: ignore[misc]
    """`heard` are the frames since the list was made, `stamps` their times where somebody asked for them."""

    def __init__(self, talk: Talk, room: int, room_name: str, known: Known) -> None:
        self.room = room
        self.words = talk.say.replace("{room}", room_name)
        self.heard: list[Numbers] = []
        self.stamps: list[float] | None = None
        self.notice: Callable[[Numbers], None] | None = None
        self.transport: Any = None
        self.gone = asyncio.get_running_loop().create_future()
        self.joined = asyncio.get_running_loop().create_future()
        self._known = known
        self._has_joined = False  # what comes before that is no delivery, even if it holds what was said earlier
        self._joined_by = talk.joined.encode()
        self._answers = [
            (asked.encode(), answer.replace("{room}", room_name).encode()) for asked, answer in talk.answers
        ]

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        if not self._joined_by:
            self._join()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        payload = frame.get_payload_as_bytes()
        numbers = self._known[payload]
        if not numbers or not self._has_joined:
            self._other(frame.msg_type, payload)
            return
        self.heard.append(numbers)
        if self.stamps is not None:
            self.stamps.append(perf_counter())
        if self.notice is not None:
            self.notice(numbers)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        if not self.joined.done():
            self.joined.set_exception(ConnectionError("closed before it had joined"))

    def _other(self, kind: WSMsgType, payload: bytes) -> None:
        if kind is WSMsgType.CLOSE:
            self.transport.disconnect()
            return
        if not self._has_joined and self._joined_by in payload:
            self._join()
        for asked, answer in self._answers:
            if payload.startswith(asked):
                self.transport.send(WSMsgType.TEXT, answer)

    def _join(self) -> None:
        self._has_joined = True
        self.joined.set_result(None)

    def send(self, frame: bytes) -> None:
        self.transport.send(WSMsgType.TEXT, frame)

    def leave(self) -> None:
        self.transport.send_close()

    def renew(self, stamped: bool = False) -> None:
        """Forgets what was heard."""
        self.heard = []
        self.stamps = [] if stamped else None


async def dial(talk: Talk, room: int, room_name: str, known: Known) -> Socket:
    """A socket that has joined the room."""
    headers = {"Sec-WebSocket-Protocol": talk.subprotocol} if talk.subprotocol else None
    _, socket = await ws_connect(
        lambda: Socket(talk, room, room_name, known),
        talk.url.format(room=room_name),
        extra_headers=headers,
        websocket_handshake_timeout=HANDSHAKE_SECONDS,
        read_buffer_init_size=4096,
    )
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        await socket.joined
    return socket


def said(words: str, number: int) -> bytes:
    return words.replace("{number}", str(number)).replace("{body}", body(number)).encode()

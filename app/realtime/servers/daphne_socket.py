"""One WebSocket connection under Daphne, with what Daphne's own lacks. daphne_handshake opens it.

`send` waits while the client does not read, and the client is not read while the application does not
receive. A frame that is too big is answered by 1009 and text that is no UTF-8 by 1007. The application may
close with any code and reason. A client that answers no ping is dropped even if it keeps sending.
"""

import asyncio
import time
from typing import Any

from autobahn.util import encode_truncate
from daphne.ws_protocol import WebSocketFactory

from realtime.closing import NO_CODE
from realtime.failures import contained, report
from realtime.limits import (
    CLOSE_SECONDS,
    HANDSHAKE_SECONDS,
    MAX_FRAGMENTS,
    PING_SECONDS,
    PONG_SECONDS,
)
from realtime.servers.daphne_handshake import Handshake
from realtime.waiting import held

Message = dict[str, Any]
NORMAL, FAILED, RESTARTING = 1000, 1011, 1012


class ClientDisconnected(OSError):
    """Raised by `send` when the client has gone."""


class Socket(Handshake):
    """One WebSocket connection. Registered with its transport as the producer of what it sends."""

    full: asyncio.Event | None = None  # while the transport's buffer is full
    held = 0  # bytes that were in it at that moment
    unread = False  # reading was stopped
    fragments = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.peer}>"

    # --- From the client ---------------------------------------------------------------------------

    def has_room(self) -> bool:
        return self.state != self.STATE_OPEN or not self.application_queue.full

    def parse(self, piece: bytes) -> None:
        self._dataReceived(piece)

    def pause_reading(self) -> None:
        if not self.unread:
            self.unread = True
            self.transport.pauseProducing()

    def resume_reading(self) -> None:
        if self.unread:
            self.unread = False
            self.transport.resumeProducing()

    def hear(self, content: Message, size: int) -> None:
        if self.state == self.STATE_OPEN:
            self.application_queue.put_nowait({"type": "websocket.receive", **content}, size)

    def onMessageBegin(self, isBinary: bool) -> None:
        self.fragments = 0
        super().onMessageBegin(isBinary)

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        self.fragments += 1
        if self.fragments > MAX_FRAGMENTS and not self.failedByMe:
            self._max_message_size_exceeded(self.fragments, MAX_FRAGMENTS, "too many fragments")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.hear({"bytes": payload} if isBinary else {"text": payload.decode()}, len(payload))

    def onPing(self, payload: bytes) -> None:
        """A client that does not read gets no pongs either: they would add up."""
        if self.full is None:
            super().onPing(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.resumeProducing()
        self.stop_reading()
        if hasattr(self, "server"):  # set by onConnect: the library may have refused before
            self.server.protocol_disconnected(self)
            if hasattr(self, "application_queue"):
                code = NO_CODE if code is None else code
                self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code})

    # --- From the application ----------------------------------------------------------------------

    async def reply(self, message: Message) -> None:
        """Raises ClientDisconnected where the client has gone, ValueError where the message is not to be sent now."""
        match message["type"]:
            case "websocket.send":
                while self.full is not None:
                    await self.full.wait()
                self._say(message.get("text"), message.get("bytes"))
            case "websocket.close" if self.state == self.STATE_CONNECTING:
                self.refuse(403)
            case "websocket.close":
                self.close(message.get("code") or NORMAL, message.get("reason") or "")
            case kind if self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred"):
                self.answer_handshake(kind, message)
            case kind:
                self._must_be_open()
                raise ValueError(f"{kind} after the handshake")

    def _say(self, text: str | None, data: bytes | None) -> None:
        self._must_be_open()
        if (text is None) == (data is None):
            raise ValueError("websocket.send needs either text or bytes")
        if text is not None:
            self.sendMessage(text.encode(), False)
        else:
            self.sendMessage(data, True)

    def write(self, frames: bytes) -> bool:
        """Frames as they go over the wire, without waiting. False: not now or not any more, nothing was taken.

        Twisted's own write costs two calls of epoll each time: with nothing waiting, the socket is asked first.
        """
        if self.full is not None or self.state != self.STATE_OPEN:
            return False
        try:
            if not (self.transport.dataBuffer or self.transport._tempDataBuffer):
                frames = self._left_by_the_kernel(frames)
            if frames:
                self.transport.write(frames)
        except Exception as error:
            self.give_up(error)
            return False
        return True

    def _left_by_the_kernel(self, frames: bytes) -> bytes:
        try:
            return frames[self.transport.socket.send(frames) :]
        except BlockingIOError:
            return frames

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """The library's way to the transport, for everything that `write` does not send."""
        try:
            super().sendData(data, sync, chopsize)
        except Exception as error:
            self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Ends this connection after an error of any kind, and nothing else."""
        if not isinstance(error, OSError):  # a client that has gone
            report("a connection", error)
        with contained("a connection"):
            self.transport.abortConnection()

    def _must_be_open(self) -> None:
        if self.state == self.STATE_CONNECTING:
            raise ValueError("the handshake was not accepted yet")
        if self.state != self.STATE_OPEN:
            raise ClientDisconnected

    def close(self, code: int, reason: str = "") -> None:
        """Does not wait for the buffer to empty: a client that does not answer in time is dropped."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code, encode_truncate(reason, 123) or None)
            self.read_on()  # the answer comes behind what was not read
            self.resumeProducing()

    def leave(self) -> None:
        """The server ends."""
        if self.state == self.STATE_CONNECTING:
            self.refuse(503)
        self.close(RESTARTING)

    def close_unless_closing(self, code: int, reason: str) -> bool:
        was_open = bool(self.state == self.STATE_OPEN)
        self.close(code, reason)
        return was_open

    def application_ended(self, error: BaseException | None) -> None:
        if self.state == self.STATE_CONNECTING:
            self.refuse(500)
        self.close(FAILED if error else NORMAL)

    # --- The transport's buffer --------------------------------------------------------------------

    def pauseProducing(self) -> None:
        if self.full is None:
            self.full = asyncio.Event()
            self.held = len(self.transport.dataBuffer) + self.transport._tempDataLen
            held.used += self.held

    def resumeProducing(self) -> None:
        if self.full is not None:
            self.full.set()
            self.full = None
            held.used -= self.held

    def stopProducing(self) -> None:
        self.resumeProducing()

    def dropConnection(self, abort: bool = False) -> None:
        self.since = time.monotonic()
        super().dropConnection(abort)
        self.resumeProducing()

    # --- Time --------------------------------------------------------------------------------------

    def check_timeouts(self) -> None:
        now = time.monotonic()
        if self.state == self.STATE_CONNECTING:
            if now - self.since > HANDSHAKE_SECONDS:
                self.refuse(503)
        elif self.state == self.STATE_CLOSED:
            if now - self.since > CLOSE_SECONDS:  # the client does not take what is left in the buffer
                self.transport.abortConnection()
        elif self.autoPingPending:
            if now - self.last_ping > PONG_SECONDS:
                self.dropConnection(abort=True)
        elif now - self.last_ping > PING_SECONDS:
            self.last_ping = now
            self._sendAutoPing()


def with_options_of(factory: WebSocketFactory) -> type[Socket]:
    """The class of sockets that share the factory's options.

    The library would copy some 30 of them to each socket, and put them into words for a log that nobody
    keeps: a fifth of what a handshake costs.
    """
    options = {name: getattr(factory, name) for name in Socket.CONFIG_ATTRS}
    options = {name: staticmethod(option) if callable(option) else option for name, option in options.items()}
    return type(Socket.__name__, (Socket,), {**options, "CONFIG_ATTRS": ()})

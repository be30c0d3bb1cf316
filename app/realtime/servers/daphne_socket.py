"""One WebSocket connection under Daphne, with what Daphne's own lacks.

`send` waits while the client does not read, and the client is not read while the application does not
receive. A frame that is too big is answered by 1009 and text that is no UTF-8 by 1007. The application may
refuse with a status of its own, close with any code and reason, and set headers. A client that answers no
ping is dropped even if it keeps sending.
"""

import asyncio
import random
import time
from http import HTTPStatus
from typing import Any

from autobahn.util import encode_truncate
from autobahn.websocket.types import ConnectionRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.defer import Deferred

from realtime.failures import contained, report
from realtime.limits import (
    CLOSE_SECONDS,
    HANDSHAKE_SECONDS,
    MAX_FRAGMENTS,
    PING_SECONDS,
    PONG_SECONDS,
)
from realtime.servers.incoming import Incoming
from realtime.servers.reading import Reading
from realtime.servers.request import Head
from realtime.waiting import Waiting

Message = dict[str, Any]
NORMAL, NO_CODE, FAILED = 1000, 1005, 1011
OF_THE_HANDSHAKE = (  # what an idle socket would keep as long as it lives
    *("request", "http_request_data", "http_response_data", "http_status_line", "http_headers", "clean_headers"),
    *("http_request_uri", "http_request_path", "http_request_params", "http_request_host", "path"),
    *("head", "_raw_query_string", "websocket_protocols", "websocket_extensions", "application_deferred"),
    *("client_addr", "server_addr"),
)


class ClientDisconnected(OSError):
    """Raised by `send` when nobody is there any more."""


class Socket(Reading, WebSocketProtocol):
    """One WebSocket connection. Registered with its transport as the producer of what it sends."""

    full: asyncio.Event | None = None  # while the transport's buffer is full
    held = 0  # bytes that were in it when it became so
    refusal: tuple[int, list[tuple[bytes, bytes]], bytes] | None = None  # what is known of it so far
    unread = False  # reading was stopped
    fragments = 0
    head: Head
    data: bytes  # received, and not parsed yet by the library

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.peer}>"

    # --- The handshake -----------------------------------------------------------------------------

    def onConnect(self, request: ConnectionRequest) -> Any:
        self.since = time.monotonic()
        self.incoming = Incoming()
        return super().onConnect(request)

    def dataReceived(self, data: bytes) -> None:
        """What a client sends before it was let in has to wait, most of it in the client."""
        if self.state != self.STATE_CONNECTING:
            self.take_in(data)
        elif hasattr(self, "handshake_deferred"):
            self.data += data
            self.transport.pauseProducing()
        else:
            self._dataReceived(data)

    def onOpen(self) -> None:
        self.transport.unregisterProducer()  # the HTTP channel
        self.transport.registerProducer(self, True)
        self.transport.resumeProducing()
        self.last_ping = time.monotonic() - random.uniform(0, PING_SECONDS / 2)  # not all in one moment
        for name in OF_THE_HANDSHAKE:
            self.__dict__.pop(name, None)
        early, self.data = self.data, b""
        if early:
            self.take_in(early)

    def refuse(self, status: int, headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b"") -> None:
        """Answers the handshake with this status."""
        self.__dict__.pop("handshake_deferred", None)
        head = [f"HTTP/1.1 {status} {_phrase(status)}".encode()]
        head += [name + b": " + value for name, value in headers or []]
        head += [b"Content-Length: %d" % len(body), b"Connection: close", b"", body]
        self.sendData(b"\r\n".join(head))
        self.dropConnection(abort=False)

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        self.refuse(code)

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
        if hasattr(self, "server"):  # else it did not come as far as that
            self.server.protocol_disconnected(self)
            if hasattr(self, "application_queue"):
                code = NO_CODE if code is None else code
                self.application_queue.put_nowait({"type": "websocket.disconnect", "code": code})

    # --- From the application ----------------------------------------------------------------------

    async def reply(self, message: Message) -> None:
        """Raises ClientDisconnected where the client has gone, ValueError where the message has no place."""
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
                self._answer_handshake(kind, message)
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
        """Everything else that the library sends goes through here."""
        try:
            super().sendData(data, sync, chopsize)
        except Exception as error:
            self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Whatever goes wrong with this connection is the end of it, and of nothing else."""
        if not isinstance(error, OSError):  # that is how a client goes
            report("a connection", error)
        with contained("a connection"):
            self.transport.abortConnection()

    def _must_be_open(self) -> None:
        if self.state == self.STATE_CONNECTING:
            raise ValueError("the handshake was not accepted yet")
        if self.state != self.STATE_OPEN:
            raise ClientDisconnected

    def _answer_handshake(self, kind: str, message: Message) -> None:
        if kind == "websocket.accept" and self.refusal is None:
            self._accept(message.get("subprotocol"), message.get("headers") or [])
        elif kind == "websocket.http.response.start" and self.refusal is None:
            self.refusal = (message["status"], list(message.get("headers") or []), b"")
        elif kind == "websocket.http.response.body" and self.refusal is not None:
            status, headers, body = self.refusal
            self.refusal = (status, headers, body + message.get("body", b""))
            if not message.get("more_body"):
                self.refuse(*self.refusal)
        else:
            raise ValueError(f"{kind} is no answer to this handshake")

    def _accept(self, subprotocol: str | None, headers: list[tuple[bytes, bytes]]) -> None:
        if subprotocol is not None and subprotocol not in self.websocket_protocols:
            raise ValueError(f"the client has not offered the subprotocol {subprotocol!r}")
        extra: dict[str, list[str]] = {}
        for name, value in headers:
            extra.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        handshake: Deferred[Any] = self.handshake_deferred
        del self.handshake_deferred
        handshake.callback((subprotocol, extra))

    def close(self, code: int, reason: str = "") -> None:
        """Does not wait for the buffer to empty: a client that does not answer in time is dropped."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code, encode_truncate(reason, 123) or None)
            self.read_on()  # the answer comes behind what was not read
            self.resumeProducing()

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
            Waiting.used += self.held

    def resumeProducing(self) -> None:
        if self.full is not None:
            self.full.set()
            self.full = None
            Waiting.used -= self.held

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
            if now - self.since > CLOSE_SECONDS:  # it does not take what is left in the buffer
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


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

"""Daphne's server, with what it lacks.

`send` waits while the client does not read, and the client is not read while the application does not
receive. A frame that is too big is answered by 1009 and text that is no UTF-8 by 1007. The application may
refuse with a status of its own, close with any code and reason, and set headers. A client that answers no
ping is dropped even if it keeps sending. Clients are told when the application has ended.
"""

import asyncio
import contextlib
import logging
import random
import socket
import sys
import time
from functools import partial
from http import HTTPStatus
from typing import Any

from twisted.internet import asyncioreactor


def new_event_loop() -> asyncio.AbstractEventLoop:
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


# Twisted has one reactor a process, which is there from the first import of it on: this must be ours.
if "twisted.internet.reactor" not in sys.modules:
    asyncioreactor.install(new_event_loop())

import daphne.server  # noqa: E402
from autobahn.util import encode_truncate  # noqa: E402
from autobahn.websocket.types import ConnectionRequest  # noqa: E402
from daphne.http_protocol import HTTPFactory  # noqa: E402
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol  # noqa: E402
from twisted.internet import reactor  # noqa: E402
from twisted.internet.defer import Deferred  # noqa: E402
from twisted.logger import (  # noqa: E402
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)

from realtime.limits import (  # noqa: E402
    CLOSE_SECONDS,
    HANDSHAKE_SECONDS,
    INBOX_BYTES,
    INBOX_FRAMES,
    KEEP_ALIVE_SECONDS,
    MAX_FRAGMENTS,
    MAX_FRAME_BYTES,
    PING_SECONDS,
    PONG_SECONDS,
)

logger = logging.getLogger(__name__)

Message = dict[str, Any]
CHECK_SECONDS = 1
APPLICATION_SECONDS = 10  # for an application to end after its client has gone
NORMAL, NO_CODE, FAILED, RESTARTING = 1000, 1005, 1011, 1012


class ClientDisconnected(OSError):
    """Raised by `send` when nobody is there any more."""


class Server(daphne.server.Server):
    """Runs on `loop`, where `start` and `stop` are to be awaited. Takes no signals."""

    def __init__(self, application: Any) -> None:
        super().__init__(
            application,
            endpoints=["given to start()"],
            signal_handlers=False,
            websocket_timeout=-1,
            request_buffer_size=MAX_FRAME_BYTES,
            server_name="",
        )
        self.connections: dict[Any, dict[str, Any]] = {}

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return reactor._asyncioEventloop  # type: ignore[attr-defined,no-any-return]

    async def start(self, listener: socket.socket) -> None:
        """Accepts connections on a socket that listens."""
        _log_errors_only()
        self.http_factory = HTTPFactory(self)
        self.http_factory.timeOut = KEEP_ALIVE_SECONDS
        self.ws_factory = WebSocketFactory(self, server="")
        self.ws_factory.protocol = Socket
        self.ws_factory.setProtocolOptions(
            allowNullOrigin=True,  # origins are judged by the application
            maxMessagePayloadSize=MAX_FRAME_BYTES,
            maxFramePayloadSize=MAX_FRAME_BYTES,
            failByDrop=False,
            openHandshakeTimeout=0,
            closeHandshakeTimeout=CLOSE_SECONDS,
            autoPingRestartOnAnyTraffic=False,
        )
        reactor.startRunning(installSignalHandlers=False)  # type: ignore[attr-defined]
        self._port = reactor.adoptStreamPort(listener.fileno(), listener.family, self.http_factory)  # type: ignore[attr-defined]
        self._checking = asyncio.create_task(self._check())

    async def stop(self, seconds: float) -> None:
        """Accepts nobody any more, closes sockets and gives what is under way so many seconds."""
        self._port.stopListening()
        self._checking.cancel()
        for protocol in list(self.connections):
            if isinstance(protocol, Socket):
                protocol.close(RESTARTING)
        deadline = time.monotonic() + seconds
        await asyncio.sleep(0.05)  # for the close frames to be written
        while self.connections and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    # --- Applications ------------------------------------------------------------------------------

    def create_application(self, protocol: Any, scope: Message) -> Any:
        scope.setdefault("asgi", {"version": "3.0"})
        inbox: asyncio.Queue[Message] | Inbox = asyncio.Queue()
        if isinstance(protocol, Socket):
            inbox = Inbox(protocol)
            scope |= {"scheme": "ws", "http_version": "1.1", "extensions": {"websocket.http.response": {}}}
        running = self.application(scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol))
        task = asyncio.ensure_future(running)
        task.add_done_callback(partial(self._application_ended, protocol))
        self.connections[protocol]["application_instance"] = task
        return inbox

    async def handle_reply(self, protocol: Any, message: Message) -> None:
        if isinstance(protocol, Socket):
            await protocol.reply(message)
        else:
            await super().handle_reply(protocol, message)

    def protocol_disconnected(self, protocol: Any) -> None:
        if details := self.connections.get(protocol):
            details.setdefault("disconnected", time.time())
            self._forget_if_done(protocol, details)

    def _application_ended(self, protocol: Any, task: asyncio.Task[None]) -> None:
        details = self.connections[protocol]
        del details["application_instance"]
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, ClientDisconnected):
            logger.error("the application failed: %s", type(error).__name__, exc_info=error)
        if "disconnected" not in details:
            if isinstance(protocol, Socket):
                protocol.application_ended(error)
            elif error:
                _end_request(protocol, error)
        self._forget_if_done(protocol, details)

    def _forget_if_done(self, protocol: Any, details: dict[str, Any]) -> None:
        if "disconnected" in details and "application_instance" not in details:
            self.connections.pop(protocol, None)

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for protocol, details in list(self.connections.items()):
                if "disconnected" not in details:
                    protocol.check_timeouts()
                elif time.time() - details["disconnected"] > APPLICATION_SECONDS:
                    logger.warning("an application went on without its client and was cancelled")
                    details["application_instance"].cancel()


class Socket(WebSocketProtocol):
    """One WebSocket connection. Registered with its transport as the producer of what it sends."""

    full: asyncio.Event | None = None  # while the transport's buffer is full
    refusal: tuple[int, list[tuple[bytes, bytes]], bytes] | None = None  # what is known of it so far
    unread = False  # reading was stopped because the inbox is full
    fragments = 0

    # --- The handshake -----------------------------------------------------------------------------

    def onConnect(self, request: ConnectionRequest) -> Any:
        self.since = time.monotonic()
        return super().onConnect(request)

    def _dataReceived(self, data: bytes) -> None:
        """What a client sends before it was let in has to wait, most of it in the client."""
        if self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred"):
            self.data += data
            self.transport.pauseProducing()
        else:
            super()._dataReceived(data)

    def onOpen(self) -> None:
        self.transport.unregisterProducer()  # the HTTP channel
        self.transport.registerProducer(self, True)
        self.transport.resumeProducing()
        self.last_ping = time.monotonic() - random.uniform(0, PING_SECONDS / 2)  # not all in one moment
        for name in ("request", "http_request_data", "http_response_data", "http_headers", "http_status_line"):
            self.__dict__.pop(name, None)

    def refuse(self, status: int, headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b"") -> None:
        """Answers the handshake with this status."""
        self.__dict__.pop("handshake_deferred", None)
        head = [f"HTTP/1.1 {status} {_phrase(status)}".encode()]
        head += [name + b": " + value for name, value in headers or []]
        head += [b"Content-Length: %d" % len(body), b"Connection: close", b"", body]
        self.sendData(b"\r\n".join(head))
        self.dropConnection(abort=False)

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        """The library judges origins, too, as to their form: such a refusal looks like the application's."""
        headers = [(str(name).encode(), str(value).encode()) for name, value in responseHeaders or []]
        self.refuse(403 if "origin" in reason.lower() else code, headers)

    # --- From the client ---------------------------------------------------------------------------

    def processData(self) -> bool:
        """Leaves frames unparsed, and stops reading, as long as the application has enough to do."""
        if self.state == self.STATE_OPEN and self.application_queue.full:
            self.unread = True
            self.transport.pauseProducing()
            return False
        return bool(super().processData())

    def read_on(self) -> None:
        if self.unread:
            self.unread = False
            self.transport.resumeProducing()
            self.consumeData()

    def onMessageBegin(self, isBinary: bool) -> None:
        self.fragments = 0
        super().onMessageBegin(isBinary)

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        self.fragments += 1
        if self.fragments > MAX_FRAGMENTS and not self.failedByMe:
            self._max_message_size_exceeded(self.fragments, MAX_FRAGMENTS, "too many fragments")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state == self.STATE_OPEN:
            content = {"bytes": payload} if isBinary else {"text": payload.decode()}
            self.application_queue.put_nowait({"type": "websocket.receive", **content}, len(payload))

    def onPing(self, payload: bytes) -> None:
        """A client that does not read gets no pongs either: they would add up."""
        if self.full is None:
            super().onPing(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.resumeProducing()
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
                self._send(message.get("text"), message.get("bytes"))
            case "websocket.close" if self.state == self.STATE_CONNECTING:
                self.refuse(403)
            case "websocket.close":
                self.close(message.get("code") or NORMAL, message.get("reason") or "")
            case kind if self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred"):
                self._answer_handshake(kind, message)
            case kind:
                self._must_be_open()
                raise ValueError(f"{kind} after the handshake")

    def _send(self, text: str | None, data: bytes | None) -> None:
        self._must_be_open()
        if (text is None) == (data is None):
            raise ValueError("websocket.send needs either text or bytes")
        if text is not None:
            self.sendMessage(text.encode(), False)
        else:
            self.sendMessage(data, True)

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

    def application_ended(self, error: BaseException | None) -> None:
        if self.state == self.STATE_CONNECTING:
            self.refuse(500)
        self.close(FAILED if error else NORMAL)

    # --- The transport's buffer --------------------------------------------------------------------

    def pauseProducing(self) -> None:
        if self.full is None:
            self.full = asyncio.Event()

    def resumeProducing(self) -> None:
        if self.full is not None:
            self.full.set()
            self.full = None

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


class Inbox:
    """What the client sent and the application has not received yet. One receiver at a time."""

    __slots__ = ("_bytes", "_messages", "_receiver", "_socket")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._messages: list[Message] = []
        self._bytes = 0
        self._receiver: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        return len(self._messages) >= INBOX_FRAMES or self._bytes >= INBOX_BYTES

    def put_nowait(self, message: Message, size: int = 0) -> None:
        self._messages.append(message)
        self._bytes += size
        if self._receiver and not self._receiver.done():
            self._receiver.set_result(None)

    async def get(self) -> Message:
        while not self._messages:
            self._receiver = asyncio.get_running_loop().create_future()
            await self._receiver
        message = self._messages.pop(0)
        if not self._messages:
            self._bytes = 0
            self._socket.read_on()
        return message


def _end_request(request: Any, error: BaseException) -> None:
    """500, or an answer that visibly breaks off where it has begun already."""
    if request._response_started:
        request.channel.forceAbortClient()
    else:
        request.handle_exception(error)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _log_errors_only() -> None:
    """Twisted tells of every connection; what is left is what went wrong in here."""
    errors = LogLevelFilterPredicate(LogLevel.error)
    globalLogBeginner.beginLoggingTo(
        [FilteringLogObserver(STDLibLogObserver("twisted"), [errors])],
        redirectStandardIO=False,
        discardBuffer=True,
    )

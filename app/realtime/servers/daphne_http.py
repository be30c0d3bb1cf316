"""One HTTP connection under Daphne: with a deadline, bounds, and answers that are the same under uvicorn."""

import asyncio
import time
from io import BytesIO
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel, _MalformedChunkedDataError

from realtime import metrics
from realtime.limits import (
    ANSWER_SECONDS,
    CLOSE_SECONDS,
    KEEP_ALIVE_SECONDS,
    MAX_BODY_BYTES,
    MAX_BODY_PIECES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    REQUEST_SECONDS,
    SLOW_SECONDS,
)
from realtime.servers.request import BODY_TOO_BIG, HEAD_TOO_BIG, NO_ANSWER, NO_REQUEST, TOO_LATE, Head, Refused, judged
from realtime.servers.unfinished import unfinished


class Request(WebRequest):
    """One request. Reads neither its cookies nor its form: the application does."""

    head: Head
    content: BytesIO
    transport: Any
    pieces = 0  # of the body
    since: float | None = None  # the application has it

    def parseCookies(self) -> None:
        pass

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        self.pieces += 1
        if self.content.tell() + len(data) > MAX_BODY_BYTES or self.pieces > MAX_BODY_PIECES:
            self.channel.refuse(BODY_TOO_BIG())
            raise _MalformedChunkedDataError  # nothing more is made of what has come
        super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        self.since = time.monotonic()
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.client_addr = [str(self.client.host), self.client.port]
        self.server_addr = [str(self.host.host), self.host.port]
        if self.head.handshake:
            self._become_websocket()
        else:
            self._serve()

    def _serve(self) -> None:
        scope = {
            "type": "http",
            "http_version": self.clientproto.removeprefix(b"HTTP/").decode(),
            "method": self.method.decode(),
            "root_path": "",
            "scheme": "http",
            "client": self.client_addr,
            "server": self.server_addr,
        }
        self.application_queue = self.server.create_application(self, scope | self.head.scope())
        message = {"type": "http.request", "body": self.content.getvalue(), "more_body": False}
        self.application_queue.put_nowait(message)

    def _become_websocket(self) -> None:
        socket = self.server.ws_factory.buildProtocol(self.client)
        socket.head, socket._raw_query_string = self.head, b""
        transport, self.transport = self.transport, None
        self.channel.socket = transport.protocol = socket
        socket.makeConnection(transport)
        socket.dataReceived(self.head.handshake)
        self.server.protocol_disconnected(self)
        self.channel._networkProducer.resumeProducing()

    def check_timeouts(self) -> None:
        if self.since and not self._response_started and time.monotonic() - self.since > ANSWER_SECONDS:
            self.channel.refuse(NO_ANSWER())

    def handle_reply(self, message: dict[str, Any]) -> None:
        if not (self.finished or self.channel.refused):
            super().handle_reply(message)


class Channel(HTTPChannel):
    """One connection until it ends or becomes a WebSocket."""

    transport: Any
    _path: Any
    requestFactory = Request
    timeOut = None  # each byte would move it
    MAX_LENGTH = totalHeadersSize = MAX_HEAD_BYTES
    maxHeaders = MAX_HEADERS

    idle = False  # between two requests
    begun = False  # a request has
    refused = False  # whatever still comes is thrown away
    socket: Any = None  # what it became
    full: asyncio.Event | None = None  # while the client does not take the answer
    patience: asyncio.TimerHandle | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._wait_for_request(REQUEST_SECONDS)

    def connectionLost(self, reason: Any = connectionDone) -> None:
        unfinished.end(self)
        self._let_go()
        super().connectionLost(reason)

    # --- The answer goes out -----------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """The transport's buffer is full: whoever answers waits, and a client that takes nothing for long is cut."""
        super().pauseProducing()
        if self.full is None:
            self.full = asyncio.Event()
            self.patience = asyncio.get_running_loop().call_later(SLOW_SECONDS, self.transport.abortConnection)

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self._let_go()

    def _let_go(self) -> None:
        if self.full is not None:
            self.full.set()
            self.full = None
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None

    # --- A request comes in ------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        if self.refused:
            return
        if self.idle:
            self.idle = False
            self._wait_for_request(REQUEST_SECONDS)
        self.begun = True
        if self.line_mode and b"\n\n" in data.partition(b"\r\n\r\n")[0]:
            self.refuse(
                NO_REQUEST()
            )  # its lines end in half of what they have to, and nobody would ever find their ends
        else:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if not self.refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if self.socket is not None:
            self.socket.dataReceived(data)  # it came behind the request, without waiting for the answer
        elif not self.refused:
            super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        request = self.requests[-1]
        headers = request.requestHeaders.getAllRawHeaders()
        headers = [(name.lower(), value) for name, values in headers for value in values]
        try:
            request.head = judged(self._command, self._path, self._version.removeprefix(b"HTTP/"), headers)
        except Refused as refused:
            self.refuse(refused)
        else:
            self._path = request.head.target
            super().allHeadersReceived()

    def allContentReceived(self) -> None:
        if not self.refused:
            unfinished.end(self)
            super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        if self.refused:
            return
        if self.persistent:
            self.idle = True
            self._wait_for_request(KEEP_ALIVE_SECONDS)
        super().requestDone(request)

    # --- The end -----------------------------------------------------------------------------------

    def refuse(self, refused: Refused) -> None:
        """Answers and reads on for a while: ending while data comes in would cost the client the answer."""
        if self.refused:
            return
        self.refused = True
        unfinished.end(self)
        metrics.requests_refused.labels(refused.status).inc()
        for request in self.requests:
            if request.application_queue:
                request.send_disconnect()
        if any(request._response_started for request in self.requests):
            self.transport.abortConnection()
            return
        self._networkProducer.unregisterProducer()
        self.transport.write(refused.answer())
        self.transport.loseWriteConnection()
        self.transport.resumeProducing()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.transport.abortConnection)

    def _respondToBadRequestAndDisconnect(self) -> None:
        too_big = self._receivedHeaderCount > self.maxHeaders or self._receivedHeaderSize > self.totalHeadersSize
        self.refuse((HEAD_TOO_BIG if too_big else NO_REQUEST)())

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(HEAD_TOO_BIG())

    def late(self) -> None:
        if self.idle or not self.begun:  # nobody has asked anything
            self.loseConnection()
        else:
            self.refuse(TOO_LATE())

    def drop(self) -> None:
        self.transport.abortConnection()

    def _wait_for_request(self, seconds: float) -> None:
        unfinished.begin(self, getattr(self.transport.getPeer(), "host", None), seconds)


class Factory(HTTPFactory):
    protocol = Channel

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel

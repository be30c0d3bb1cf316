"""A WebSocket connection under Daphne until it is open: the application lets the client in, or refuses it.

It may refuse with a status, headers and a body of its own, and set headers where it lets the client in.
"""

import random
import time
from http import HTTPStatus
from typing import Any

from autobahn.websocket.types import ConnectionRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.defer import Deferred

from realtime.limits import PING_SECONDS
from realtime.servers.incoming import Incoming
from realtime.servers.reading import Reading
from realtime.servers.request import Head

Message = dict[str, Any]
OF_THE_HANDSHAKE = (  # what an idle socket would keep as long as it lives
    *("request", "http_request_data", "http_response_data", "http_status_line", "http_headers", "clean_headers"),
    *("http_request_uri", "http_request_path", "http_request_params", "http_request_host", "path"),
    *("head", "_raw_query_string", "websocket_protocols", "websocket_extensions", "application_deferred"),
    *("client_addr", "server_addr"),
)


class Handshake(Reading, WebSocketProtocol):
    """What a Socket does until it is open."""

    head: Head
    data: bytes  # received, and not parsed by the library yet
    refusal: tuple[int, list[tuple[bytes, bytes]], bytes] | None = None  # as far as the application has sent it

    def onConnect(self, request: ConnectionRequest) -> Any:
        self.since = time.monotonic()
        self.incoming = Incoming()
        return super().onConnect(request)

    def dataReceived(self, data: bytes) -> None:
        """What comes behind the request waits until the application has answered, most of it in the client."""
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
        self.last_ping = time.monotonic() - random.uniform(0, PING_SECONDS / 2)  # spreads the sockets' pings
        for name in OF_THE_HANDSHAKE:
            self.__dict__.pop(name, None)
        early, self.data = self.data, b""
        if early:
            self.take_in(early)

    def answer_handshake(self, kind: str, message: Message) -> None:
        """Raises ValueError where the message is no answer, or is one too many."""
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


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

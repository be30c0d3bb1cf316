"""One HTTP connection under uvicorn: with a deadline, bounds, and answers that are the same under Daphne."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from realtime import metrics
from realtime.limits import (
    ANSWER_SECONDS,
    CLOSE_SECONDS,
    KEEP_ALIVE_SECONDS,
    MAX_BODY_BYTES,
    MAX_BODY_PIECES,
    REQUEST_SECONDS,
    SLOW_SECONDS,
)
from realtime.servers.request import BODY_TOO_BIG, HEAD_TOO_BIG, NO_ANSWER, NO_REQUEST, TOO_LATE, Head, Refused, judged
from realtime.servers.unfinished import unfinished

Message = dict[str, Any]


class Parser(h11.Connection):
    """The library's, which shows each event to the connection before uvicorn gets it."""

    notice: Callable[[object], None]

    def next_event(self) -> Any:
        event = super().next_event()
        self.notice(event)
        return event


def after_the_body(application: Any) -> Any:
    """The application, called for a request that has come as a whole, as it is under Daphne.

    One that answers earlier would be followed by the end of the connection, with the rest of the body unread: then
    the client may lose the answer.
    """

    def called(scope: Message, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http":
            return _after_the_body(application, scope, receive, send)
        return application(scope, receive, send)  # type: ignore[no-any-return]

    return called


async def _after_the_body(application: Any, scope: Message, receive: Any, send: Any) -> None:
    message = await receive()
    pieces = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        pieces.append(message.get("body", b""))
    if message["type"] == "http.disconnect":
        return
    request = [{"type": "http.request", "body": b"".join(pieces), "more_body": False}]

    async def receive_whole() -> Message:
        return request.pop() if request else await receive()

    await application(scope, receive_whole, send)


class Http(H11Protocol):
    """One connection until it ends or becomes a WebSocket."""

    head: Head
    body_bytes = body_pieces = 0
    begun = False  # something has come
    idle = False  # between two requests
    refused = False  # whatever still comes is thrown away
    answer_timer: asyncio.TimerHandle | None = None
    patience: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The transport's buffer is full: whoever answers waits, and a client that takes nothing for long is cut."""
        super().pause_writing()
        if self.patience is None:
            self.patience = self.loop.call_later(SLOW_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._let_go()

    def _let_go(self) -> None:
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.conn.__class__ = Parser  # the library's class cannot be chosen
        self.conn.notice = self._notice  # type: ignore[attr-defined]
        self._wait_for_request(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        unfinished.end(self)
        self._stop_waiting_for_answer()
        super().connection_lost(exc)

    # --- A request comes in ------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.idle or not self.begun:
            data = data.removeprefix(b"\r\n")  # with which some clients end a form
        if self.refused or not data:
            return
        self.begun = True
        if self.idle:
            self.idle = False
            self._wait_for_request(REQUEST_SECONDS)
        super().data_received(data)

    def handle_events(self) -> None:
        try:
            super().handle_events()
        except Refused as refused:
            self.refuse(refused)

    def _should_upgrade(self) -> bool:
        """Asked once for each request, when its head is here."""
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        self.head = judged(scope["method"].encode(), target, scope["http_version"].encode(), self.headers)
        self.headers = self.head.headers
        scope |= self.head.scope()
        return bool(self.head.handshake)

    def _notice(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self.body_bytes = self.body_pieces = 0
        elif isinstance(event, h11.Data):
            self.body_bytes += len(event.data)
            self.body_pieces += 1
            if self.body_bytes > MAX_BODY_BYTES or self.body_pieces > MAX_BODY_PIECES:
                raise BODY_TOO_BIG()
        elif isinstance(event, h11.EndOfMessage):
            unfinished.end(self)
            self.answer_timer = self.loop.call_later(ANSWER_SECONDS, self._no_answer)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        unfinished.end(self)
        self.connections.discard(self)
        make_socket: Any = self.ws_protocol_class
        socket = make_socket(config=self.config, server_state=self.server_state, app_state=self.app_state)
        socket.connection_made(self.transport)
        socket.begin(self.head)
        self.transport.set_protocol(socket)
        early, _ = self.conn.trailing_data  # what the client sent behind its request, without waiting for the answer
        if early:
            socket.data_received(early)

    # --- The answer --------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        self._stop_waiting_for_answer()
        if not self.transport.is_closing():
            self.idle = True
            self._wait_for_request(KEEP_ALIVE_SECONDS)
        super().on_response_complete()

    def _no_answer(self) -> None:
        if not self.cycle.response_started:
            self.refuse(NO_ANSWER())

    def _stop_waiting_for_answer(self) -> None:
        if self.answer_timer is not None:
            self.answer_timer.cancel()
            self.answer_timer = None

    # --- The end -----------------------------------------------------------------------------------

    def refuse(self, refused: Refused) -> None:
        """Answers and reads on for a while: ending while data comes in would cost the client the answer."""
        if self.refused or self.transport.is_closing():
            return
        self.refused = True
        unfinished.end(self)
        metrics.requests_refused.labels(refused.status).inc()
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True  # which the application learns from this
            self.cycle.message_event.set()
        self.transport.write(refused.answer())
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        """The server ends. Who was refused is answered already."""
        if not self.refused:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """What the library cannot read."""
        too_big = getattr(sys.exception(), "error_status_hint", 400) == HEAD_TOO_BIG().status
        self.refuse((HEAD_TOO_BIG if too_big else NO_REQUEST)())

    def late(self) -> None:
        if self.idle or not self.begun:  # nobody has asked anything
            self.transport.close()
        else:
            self.refuse(TOO_LATE())

    def drop(self) -> None:
        self.transport.abort()

    def _wait_for_request(self, seconds: float) -> None:
        unfinished.begin(self, self.client[0] if self.client else None, seconds)

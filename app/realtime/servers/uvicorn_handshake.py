"""A WebSocket connection under uvicorn until it is open: it is let in before a deadline, or refused."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from realtime.limits import HANDSHAKE_SECONDS
from realtime.outbox import WRITE
from realtime.servers.reading import Reading
from realtime.servers.request import NO_REQUEST, Head

OF_THE_HANDSHAKE = ("request", "response", "scope", "head")  # what an idle socket would keep as long as it lives


class Handshake(Reading, WebSocketsSansIOProtocol):
    """What a Socket does until it is open."""

    head: Head
    answer_timer: asyncio.TimerHandle | None = None

    def write(self, frames: bytes) -> bool:
        raise NotImplementedError

    def begin(self, head: Head) -> None:
        """The request has come, as a whole."""
        self.head = head
        super().data_received(head.handshake)
        if not self.handshake_initiated:  # the library says nothing where it cannot read a handshake
            self.transport.write(NO_REQUEST().answer())
            self.transport.close()
        elif not self.handshake_complete:
            self.answer_timer = self.loop.call_later(HANDSHAKE_SECONDS, self.shutdown)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # else it was refused
            scope: dict[str, Any] = self.scope  # type: ignore[assignment]
            scope |= self.head.scope() | {"subprotocols": self.head.subprotocols}
            scope["extensions"][WRITE] = self.write

    async def accept(self, message: Any) -> None:
        await super().send(message)
        self.stop_answer_timer()
        for name in OF_THE_HANDSHAKE if self.handshake_complete else ():
            self.__dict__.pop(name, None)
        self.read_on()

    def refuse(self) -> None:
        """Answers with 503: a proxy then tries the next server."""
        if not self.close_sent:
            self.conn.send_response(self.conn.reject(HTTPStatus.SERVICE_UNAVAILABLE, ""))
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.disconnected = True  # the application's own answer comes too late
        self.transport.close()

    def stop_answer_timer(self) -> None:
        if self.answer_timer is not None:
            self.answer_timer.cancel()
            self.answer_timer = None

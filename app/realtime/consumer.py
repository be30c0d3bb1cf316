"""One browser connection, from accept to its end.

Subclasses say what happens when it has opened, when a frame comes and when it has ended. It is none of
Channels' consumers, whose dispatch costs a task, a thread and a copy for every frame, and which keep more
for every socket.
"""

from collections.abc import Coroutine
from typing import Any, ClassVar

from asgiref.sync import markcoroutinefunction

from realtime import drain, metrics, tracing
from realtime.bundle import Bundle
from realtime.closing import NO_CODE, TOO_SLOW, Goodbye, known
from realtime.outbox import FAILED, WRITE, Outbox, TooSlow


class SocketConsumer:
    """Use it as an ASGI application by `as_asgi()`. `scope` is the handshake's, `outbox` leads to the client."""

    __slots__ = ("__weakref__", "outbox", "scope")

    subprotocols: ClassVar[tuple[str, ...]] = ()  # the preferred one first
    batch_subprotocols: ClassVar[frozenset[str]] = frozenset()  # where a frame carries an array

    scope: dict[str, Any]
    outbox: Outbox

    @classmethod
    def as_asgi(cls) -> Any:
        """The application that serves each socket by a consumer of its own."""

        def application(scope: dict[str, Any], receive: Any, send: Any) -> Coroutine[Any, Any, None]:
            return cls().live(scope, receive, send)

        return markcoroutinefunction(application)

    async def opened(self) -> None:
        """The handshake is done."""

    async def received(self, text: str | None, data: bytes | None) -> None:
        """A frame has come: text, or else binary data."""

    def ended(self) -> None:
        """The client has gone. Called once, also where opened() was not finished."""

    def goodbye_frame(self, reason: Goodbye) -> str | None:
        """The last frame in the subclass's protocol, if that has one."""
        return None

    def close_with(self, reason: Goodbye) -> None:
        """Says goodbye and closes, without waiting for it."""
        if self.outbox.closing:
            return
        metrics.goodbyes.labels(reason.reason).inc()
        if reason is TOO_SLOW:
            self.outbox.cut(reason.code)
        else:
            self.outbox.close(reason.code, self.goodbye_frame(reason))

    def put_out(self, room: str, reason: Goodbye) -> None:
        """A socket with one log has nothing else to hear."""
        self.close_with(reason)

    def hand(self, bundle: Bundle) -> bool:
        return self.outbox.hand(bundle)

    def offer(self, bundle: Bundle) -> None:
        self.outbox.offer(bundle)

    @property
    def keeps_up(self) -> bool:
        return not self.outbox.waiting

    async def emptied(self) -> None:
        await self.outbox.emptied()

    async def reply(self, frame: str) -> None:
        """Queues an answer; a client that does not take answers is not listened to either. Raises TooSlow."""
        while not self.outbox.put(frame):
            await self.outbox.emptied()

    async def live(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        await receive()  # websocket.connect
        offered = scope.get("subprotocols") or ()
        subprotocol = next((name for name in self.subprotocols if name in offered), None)
        write = (scope.get("extensions") or {}).get(WRITE)
        self.outbox = Outbox(send, write, batch=subprotocol in self.batch_subprotocols)
        try:
            await send({"type": "websocket.accept", "subprotocol": subprotocol})
        except OSError:  # it has gone already
            return
        drain.sockets.add(self)
        metrics.opened.inc()
        code = FAILED
        try:
            await (self.opened() if tracing.tracer is None else tracing.tracer.arriving(self.opened()))
            while (event := await receive())["type"] == "websocket.receive":
                if not self.outbox.closing:  # what comes after our goodbye is not heard any more
                    await self._hear(event)
            code = event.get("code") or NO_CODE
        finally:
            metrics.closed.labels(known(code)).inc()
            drain.sockets.discard(self)
            self.outbox.abandon()
            self.ended()

    async def _hear(self, event: dict[str, Any]) -> None:
        metrics.frames_in.inc()
        try:
            await self.received(event.get("text"), event.get("bytes"))
        except TooSlow:
            self.close_with(TOO_SLOW)

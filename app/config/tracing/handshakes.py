"""The handshake that begins a trace, at the door: also one that is refused there, also of Channels' own consumers."""

from typing import Any, cast

from asgiref.sync import markcoroutinefunction
from opentelemetry.context import attach

from config.tracing.spans import NOWHERE, Opened, Part, Spans, opened
from realtime import tracing
from realtime.admission import HEALTH_PATH

STATUS = {"websocket.accept": 101, "websocket.close": 403}


def over_asgi(application: Any) -> Any:
    """What it sets holds for as long as the socket lives, and is set anew for each: a server's loop may have had it
    from the one before.
    """

    @markcoroutinefunction
    def traced(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        part = None if scope["path"] == HEALTH_PATH else handshake(scope)
        if part is None:
            attach(NOWHERE)
            opened.set(None)
            return application(scope, receive, send)
        attach(part.context)
        opened.set(Opened(part.span.get_span_context()))
        return application(scope, receive, Answer(send, part))

    return traced


def handshake(scope: dict[str, Any]) -> Part | None:
    given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    return cast(Spans, tracing.tracer).request("handshake", given.decode("latin-1"))


class Answer:
    """The way to the client. The first that goes there is the handshake's answer."""

    __slots__ = ("_part", "_send")

    def __init__(self, send: Any, part: Part) -> None:
        self._send = send
        self._part: Part | None = part

    async def __call__(self, message: dict[str, Any]) -> None:
        if self._part is not None:
            status = message.get("status") or STATUS.get(message["type"])
            if status:
                self._part.span.set_attribute("http.response.status_code", status)
            self._part.end()
            self._part = None
        await self._send(message)

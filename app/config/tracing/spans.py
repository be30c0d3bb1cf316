"""What the parts of a trace are in OpenTelemetry.

A request or a handshake begins a trace, or goes on with the one that its `traceparent` names. Whether it is sampled is
decided there: what is not has no spans, and its events say nothing of it to other processes.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import time_ns
from typing import Any, Final, TypeVar

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from realtime import request_id, routing
from realtime.events import Event
from realtime.tracing import Span as Recorded

T = TypeVar("T")

MOST_PUBLISHING: Final = 1_000  # on their way to the layer; then the oldest is ended
MOST_OF_A_SOCKET: Final = 100  # messages in the trace of a handshake: a socket may be open for weeks
NOWHERE: Final = Context()

_w3c = TraceContextTextMapPropagator()


class Part:
    """A span, and the context in which it is the current one."""

    __slots__ = ("context", "span")

    def __init__(self, span: Span) -> None:
        self.span, self.context = span, set_span_in_context(span, NOWHERE)

    @contextmanager
    def within(self) -> Iterator[None]:
        token = attach(self.context)
        try:
            yield
        finally:
            detach(token)

    def end(self, outcome: str = "") -> None:
        if outcome:
            self.span.set_attribute("outcome", outcome)
        self.span.end()

    def fail(self, error: BaseException) -> None:
        """By its kind alone: its words may be somebody's."""
        self.span.set_attribute("error.type", type(error).__name__)
        self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()


class Opened:
    """The handshake that a socket's messages are in the trace of."""

    __slots__ = ("context", "left")

    def __init__(self, context: SpanContext) -> None:
        self.context, self.left = context, MOST_OF_A_SOCKET


opened: Final[ContextVar[Opened | None]] = ContextVar("opened", default=None)


class Spans:
    """The process's tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._publishing: OrderedDict[str, Part] = OrderedDict()

    # --- What begins a trace -------------------------------------------------------------------------

    def request(self, name: str, traceparent: str, attributes: Mapping[str, Any] | None = None) -> Part | None:
        """None where it is not sampled."""
        parent = _w3c.extract({"traceparent": traceparent}, NOWHERE) if traceparent else NOWHERE
        part = self._start(name, parent, SpanKind.SERVER, attributes)
        if part and isinstance(id := request_id.current.get(), str):
            part.span.set_attribute("request.id", id)
        return part

    def _start(
        self,
        name: str,
        parent: Context,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[SpanContext] = (),
        start_ns: int | None = None,
    ) -> Part | None:
        linked = [Link(context) for context in links]
        span = self._tracer.start_span(name, parent, kind, attributes, linked, start_ns, record_exception=False)
        return Part(span) if span.is_recording() else None

    # --- What is a part of one -----------------------------------------------------------------------

    def begin(self, name: str, route: str = "") -> Part | None:
        current = get_current_span()
        if not current.get_span_context().trace_flags.sampled:
            return None
        attributes = {"topic.route": route} if route else None
        return self._start(name, set_span_in_context(current, NOWHERE), attributes=attributes)

    def commit(self, parts: Sequence[Recorded], events: int) -> Part:
        """Of the first one's trace. The others' have it by links, in both directions."""
        first, *others = [part for part in parts if isinstance(part, Part)]
        linked = [part.span.get_span_context() for part in others]
        part = self._start("commit", first.context, attributes={"events": events}, links=linked) or first
        for other in others:
            other.span.add_link(part.span.get_span_context())
        return part

    # --- Sockets -------------------------------------------------------------------------------------

    def arriving(self, opening: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        part = self.begin("arrive")
        if part is None:
            return opening
        part.span.set_attribute("http.route", f"/{routing.current.get()}")
        return _within(part, opening)

    def heard(self, hear: Callable[[Any], Coroutine[Any, Any, None]], frame: Any) -> Coroutine[Any, Any, None]:
        socket = opened.get()
        if socket is None or getattr(frame, "id", None) is None:
            return hear(frame)
        part = self._message(socket)
        return hear(frame) if part is None else _within(part, hear(frame))

    def _message(self, socket: Opened) -> Part | None:
        if socket.left:
            socket.left -= 1
            return self.begin("send")
        return self._start("send", NOWHERE, links=[socket.context])

    # --- Between the processes -----------------------------------------------------------------------

    def publishing(self, event: Event) -> None:
        current = get_current_span()
        if not current.get_span_context().trace_flags.sampled:
            return
        part = self._start("publish", set_span_in_context(current, NOWHERE), SpanKind.PRODUCER)
        if part is None:
            return
        carrier: dict[str, str] = {}
        _w3c.inject(carrier, part.context)
        event["traceparent"] = carrier["traceparent"]
        self._publishing[carrier["traceparent"]] = part
        if len(self._publishing) > MOST_PUBLISHING:
            self._publishing.popitem(last=False)[1].end("not taken")

    def published(self, events: Iterable[Event]) -> None:
        error = sys.exception()
        for event in events:
            if part := self._publishing.pop(event.get("traceparent", ""), None):
                part.fail(error) if error else part.end()

    def handed_out(self, parents: Iterable[str], seconds: float, sockets: int) -> None:
        end = time_ns()
        began = end - int(seconds * 1e9)
        for traceparent in parents:
            parent = _w3c.extract({"traceparent": traceparent}, NOWHERE)
            if get_current_span(parent).get_span_context().trace_flags.sampled:
                part = self._start("hand out", parent, SpanKind.CONSUMER, {"sockets": sockets}, start_ns=began)
                if part:
                    part.span.end(end)

    def trace_id(self) -> str:
        context = get_current_span().get_span_context()
        return format_trace_id(context.trace_id) if context.trace_flags.sampled else ""


async def _within(part: Part, work: Coroutine[Any, Any, T]) -> T:
    try:
        with part.within():
            result = await work
    except BaseException as error:
        part.fail(error)
        raise
    part.end()
    return result

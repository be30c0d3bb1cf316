"""Where the parts of a trace begin and end. A project without a tracer has none of this; `config.tracing` makes one.

While `tracer` is None nothing is imported and nothing is made: each place on a message's path looks at that name alone.
"""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol, TypeVar

from realtime.events import Event

T = TypeVar("T")


class Span(Protocol):
    """A part of a trace that is recorded."""

    def within(self) -> AbstractContextManager[None]:
        """What begins in here is a part of this one, and lines of the log name the trace."""

    def end(self, outcome: str = "") -> None: ...


class Tracer(Protocol):
    """Nothing here raises, waits, or is given what people say."""

    def begin(self, name: str, route: str = "") -> Span | None:
        """A part of what goes on here. None: that is not traced, or not sampled."""

    def commit(self, parts: Sequence[Span], events: int) -> Span:
        """A transaction that stores what those, and others that are not traced, are about."""

    def arriving(self, opened: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """What follows a handshake until somebody is in."""

    def heard(self, hear: Callable[[Any], Coroutine[Any, Any, None]], frame: Any) -> Coroutine[Any, Any, None]:
        """hear(frame), of which what is to be stored (it has an id) is a part of the trace."""

    def publishing(self, event: Event) -> None:
        """An event begins its way to the other processes, and names its trace to them."""

    def published(self, events: Iterable[Event]) -> None:
        """The layer has taken them, or has not: in the latter case there is an exception."""

    def handed_out(self, parents: Iterable[str], seconds: float, sockets: int) -> None:
        """A round that took so long, with events of these traces, is over."""

    def trace_id(self) -> str:
        """For the log; empty where nothing is traced."""


tracer: Tracer | None = None


def carried(call: Callable[..., T]) -> Callable[..., T]:
    """The same, which goes on with this trace wherever it is called: once."""
    return call if tracer is None else partial(copy_context().run, call)

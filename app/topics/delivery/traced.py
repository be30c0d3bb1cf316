"""Storing events whose ways are traced. Where there is no tracer, nothing of this is used."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import transaction

from realtime import tracing
from realtime.tracing import Span
from topics.delivery.sending import Sent, Writer
from topics.storing.log import Outcome
from topics.storing.writer import Done

if TYPE_CHECKING:
    from realtime.hub import Hub
    from topics.topic import Topic


class TracedSent(Sent):
    """What is waiting belongs to that part of a trace."""

    span: Span


class TracedWriter(Writer):
    """What is sampled has an `append`: from here until its author is told. One COMMIT serves many of them."""

    def append(self, entry: Sent, done: Done, whose: Collection[str] = ()) -> None:
        span = tracing.tracer and tracing.tracer.begin("append", entry.topic.route)
        if not span:
            super().append(entry, done, whose)
            return

        def told(outcome: Any) -> None:
            span.end(type(outcome).__name__)
            done(outcome)

        traced = TracedSent(*entry)
        traced.span = span
        super().append(traced, told, whose)

    def append_all(self, entries: Sequence[Sent], *, skip_locked: bool) -> list[Outcome]:
        spans = [entry.span for entry in entries if isinstance(entry, TracedSent)]
        if not (spans and tracing.tracer):
            return super().append_all(entries, skip_locked=skip_locked)
        commit = tracing.tracer.commit(spans, len(entries))
        with ended(commit), commit.within():
            return super().append_all(entries, skip_locked=skip_locked)

    def publish(self, entry: Sent, outcome: Any) -> None:
        if isinstance(entry, TracedSent):
            with entry.span.within():
                super().publish(entry, outcome)
        else:
            super().publish(entry, outcome)


def writer(hub: "Hub") -> Writer:
    return Writer(hub) if tracing.tracer is None else TracedWriter(hub)


@contextmanager
def appending(topic: "Topic") -> Iterator[None]:
    """In sync code: `append`, and the `commit`, which is the caller's where it has a transaction open.

    Of one that is rolled back there is no commit.
    """
    append = tracing.tracer and tracing.tracer.begin("append", topic.route)
    if not (append and tracing.tracer):
        yield
        return
    commit = tracing.tracer.commit([append], 1)
    with ended(append), append.within():
        yield
        transaction.on_commit(commit.end)


@contextmanager
def ended(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        span.end(type(error).__name__)
        raise
    span.end()

"""The spans of what alice stores, by a view and by a socket."""

import asyncio
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from opentelemetry.trace import get_current_span

from config.tracing.spans import Part, Spans
from realtime import hubs, tracing
from topics import Conflict
from topics.delivery import sending
from topics.delivery.sending import Sent
from topics.delivery.traced import TracedWriter, writer
from topics.people import Person
from topics.storing import logs
from topics.storing.log import Outcome, Stored
from topics.storing.outcomes import Unavailable
from unit.traced import Exported, traceparent

from .declared import Orders, Votes

LUNCH = Votes(poll="lunch")
ALICE = Person("guest:a", "alice", guest=True)
stored = pytest.mark.django_db(transaction=True)


@pytest.fixture
def request_(spans: Spans) -> Iterator[Part]:
    """Alice's view runs in it."""
    logs._known.clear()
    part = spans.request("POST", traceparent())
    assert part
    with part.within():
        yield part


def parents(exported: Exported, name: str) -> list[Any]:
    return [span.parent for span in exported.named(name)]


def contexts(exported: Exported, name: str) -> list[Any]:
    return [span.context for span in exported.named(name)]


# --- By a view -------------------------------------------------------------------------------------------


@stored
def test_what_a_view_appends_is_a_part_of_the_request(exported: Exported, request_: Part) -> None:
    LUNCH.append({"option": "pizza"})
    assert parents(exported, "append") == [request_.span.get_span_context()]
    assert parents(exported, "commit") == contexts(exported, "append")
    [append] = exported.named("append")
    assert append.attributes == {"topic.route": "votes/<slug:poll>"}


@stored
def test_in_the_views_own_transaction_the_commit_is_that_one(
    exported: Exported, request_: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[Any] = []
    hub = SimpleNamespace(publish=lambda *_: within.append(get_current_span().get_span_context()))
    monkeypatch.setattr(hubs, "from_any_thread", lambda product, speak: speak(hub))
    with transaction.atomic():
        LUNCH.append({"option": "pizza"})
        assert (len(exported.named("append")), len(exported.named("commit"))) == (1, 0)
    assert parents(exported, "commit") == within == contexts(exported, "append")
    LUNCH.retract(1)
    assert parents(exported, "commit") == within == contexts(exported, "append")


@stored
def test_what_is_rolled_back_has_no_commit(exported: Exported, request_: Part) -> None:
    with transaction.atomic():
        LUNCH.append({"option": "pizza"})
        transaction.set_rollback(True)
    LUNCH.append({"option": "pizza"}, id="1")
    with pytest.raises(Conflict):
        LUNCH.append({"option": "pasta"}, id="1")
    assert exported.outcomes("append") == [None, None, "Conflict"]
    assert len(exported.named("commit")) == 1


@stored
def test_what_nobody_traces_has_no_spans(exported: Exported) -> None:
    LUNCH.append({"option": "pizza"})
    assert exported.get_finished_spans() == ()


# --- By sockets ------------------------------------------------------------------------------------------


def sent(id: str) -> Sent:
    return Sent(Orders(number=1), id, ALICE, '"hi"')


async def test_one_commit_is_linked_to_each_message_that_is_sampled(
    exported: Exported, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[str]] = []
    heard: list[tuple[str, Any]] = []

    def append_all(entries: Sequence[Sent], *, skip_locked: bool = False) -> list[Outcome]:
        batches.append([entry.id for entry in entries])
        return [Stored(1, 1, entry.id, entry.person, entry.data, timezone.now()) for entry in entries]

    def publish(room: str, epoch: str, seq: int, frame: str) -> None:
        heard.append((frame, get_current_span().get_span_context()))

    monkeypatch.setattr(sending, "append_sent", append_all)
    storing = writer(SimpleNamespace(publish=publish))  # type: ignore[arg-type]
    assert isinstance(storing, TracedWriter)
    outcomes: list[Any] = []
    for id, given in (("a", traceparent()), ("b", traceparent(sampled=False)), ("c", traceparent())):
        if part := spans.request("send", given):
            with part.within():
                storing.append(sent(id), outcomes.append)
        else:
            storing.append(sent(id), outcomes.append)
    await asyncio.wait_for(storing.finish(), 20)
    while len(heard) < 3:
        await asyncio.sleep(0)
    await storing.close()
    assert (batches, [outcome.id for outcome in outcomes]) == ([["a", "b", "c"]], ["a", "b", "c"])
    first, second = exported.named("append")
    [commit] = exported.named("commit")
    assert commit.parent == first.context
    assert [link.context for link in commit.links] == [second.context]
    assert [link.context for link in second.links] == [commit.context]
    assert (commit.attributes or {})["events"] == 3
    assert exported.outcomes("append") == ["Stored", "Stored"]
    assert [context for _, context in heard if context.is_valid] == [first.context, second.context]


async def test_what_is_refused_at_once_says_so(exported: Exported, spans: Spans) -> None:
    storing = writer(SimpleNamespace())  # type: ignore[arg-type]
    storing._accepted = 5_000
    part = spans.request("send", traceparent())
    assert part
    outcomes: list[Any] = []
    with part.within():
        storing.append(sent("a"), outcomes.append)
    assert [type(outcome) for outcome in outcomes] == [Unavailable]
    assert exported.outcomes("append") == ["Unavailable"]
    assert exported.named("commit") == []


async def test_without_a_tracer_storing_is_what_it_was() -> None:
    assert tracing.tracer is None
    assert type(writer(SimpleNamespace())) is sending.Writer  # type: ignore[arg-type]

"""What the parts of a trace are: alice's calls are sampled, bob's are not."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry.sdk.trace import TracerProvider

from config.logging import with_id
from config.tracing import spans as spans_module
from config.tracing.handshakes import over_asgi
from config.tracing.sampling import sampler
from config.tracing.spans import Opened, Spans, opened
from realtime import tracing
from realtime.contract import Numbered
from realtime.feed import Feed
from unit.realtime.fakes import Socket, settled
from unit.traced import Exported, traceparent

APP = Path(__file__).parents[3] / "app"


class Frame(NamedTuple):
    id: str | None = None


async def hear(frame: Any) -> None:
    assert tracing.tracer is not None
    if part := tracing.tracer.begin("append"):
        part.end()


@pytest.mark.parametrize("imports", ["realtime.process, config.asgi", "config.asgi", "config.wsgi"])
def test_nothing_is_imported_while_it_is_off(imports: str) -> None:
    env = {
        "PATH": "/usr/bin:/bin",
        "SECRET_KEY": "alices-own-key-of-fifty-random-characters-or-more-4711",
        "DATABASE_URL": "sqlite://:memory:",
        "REDIS_URL": "redis://127.0.0.1:1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OTEL_TRACES_SAMPLER": "always_on",
    }
    look = (
        f"import sys, {imports}; from realtime import tracing; from topics.delivery import services; "
        "print(tracing.tracer, [name for name in sys.modules if name.startswith(('opentelemetry', 'sentry_sdk'))])"
    )
    done = subprocess.run([sys.executable, "-c", look], cwd=APP, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout == "None []\n", done.stdout + done.stderr


def test_one_commit_serves_many_traces(spans: Spans, exported: Exported) -> None:
    requests = [spans.request("POST", traceparent()) for _ in range(3)]
    parts = []
    for request in requests:
        assert request
        with request.within():
            parts.append(spans.begin("append", "votes/<slug:poll>"))
    commit = spans.commit([part for part in parts if part], 5)
    for part in [commit, *parts]:
        assert part
        part.end()
    [found] = exported.named("commit")
    first, *others = exported.named("append")
    assert found.parent == first.context
    assert [link.context for link in found.links] == [span.context for span in others]
    assert [[link.context for link in span.links] for span in others] == 2 * [[found.context]]
    assert (found.attributes or {})["events"] == 5


async def test_after_many_messages_of_a_socket_each_is_a_trace_of_its_own(
    spans: Spans, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans_module, "MOST_OF_A_SOCKET", 2)
    handshake = spans.request("handshake", traceparent())
    assert handshake
    opened.set(Opened(handshake.span.get_span_context()))
    with handshake.within():
        for _ in range(3):
            await spans.heard(hear, Frame("an id"))
        await spans.heard(hear, Frame())
    whole = handshake.span.get_span_context().trace_id
    sent = exported.named("send")
    assert [span.context.trace_id == whole for span in sent if span.context] == [True, True, False]
    assert [[link.context for link in span.links] for span in sent] == [[], [], [handshake.span.get_span_context()]]
    appended = exported.named("append")
    assert [span.parent for span in appended[:3]] == [span.context for span in sent]


async def test_what_raises_is_named_by_its_kind_and_not_by_its_words(spans: Spans, exported: Exported) -> None:
    async def fail(frame: Any) -> None:
        raise ValueError("alice's words")

    handshake = spans.request("handshake", traceparent())
    assert handshake
    opened.set(Opened(handshake.span.get_span_context()))
    with handshake.within(), pytest.raises(ValueError, match="alice"):
        await spans.heard(fail, Frame("an id"))
    [sent] = exported.named("send")
    assert (sent.attributes or {})["error.type"] == "ValueError"
    assert "alice" not in sent.to_json()


@pytest.mark.parametrize(
    "given",
    ["", traceparent(sampled=False), "nonsense", "00-0-0-01", "é" * 300],
    ids=["none", "not sampled", "nonsense", "zeros", "long"],
)
def test_a_traceparent_that_is_none_begins_a_trace(spans: Spans, given: str) -> None:
    part = spans.request("GET", given)
    assert (part is None) == given.endswith("-00")
    assert part is None or getattr(part.span, "parent", None) is None


async def test_a_socket_of_bobs_has_nothing_of_the_one_before_it(spans: Spans, exported: Exported) -> None:
    """Where a server calls the application in a context that it keeps."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await spans.heard(hear, Frame("an id"))

    async def send(message: Any) -> None:
        pass

    door = over_asgi(application)
    for sampled in (True, False):
        headers = [(b"traceparent", traceparent(sampled=sampled).encode())]
        await door({"path": "/ws/", "headers": headers}, None, send)
    assert [len(exported.named(name)) for name in ("handshake", "send", "append")] == [1, 1, 1]


def test_what_the_layer_never_takes_does_not_add_up(
    spans: Spans, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans_module, "MOST_PUBLISHING", 10)
    request = spans.request("POST", traceparent())
    assert request
    events: list[dict[str, Any]] = [{"seq": seq} for seq in range(30)]
    with request.within():
        for event in events:
            spans.publishing(event)
    assert len(spans._publishing) == 10
    spans.published(events)
    assert not spans._publishing
    assert len(exported.named("publish")) == 30


async def test_a_round_is_in_the_traces_of_all_its_events(spans: Spans, exported: Exported) -> None:
    async def read(room: str, after: int, limit: int) -> list[Numbered]:
        return []

    feed, alice = Feed("7", "epoch", 0, read), Socket("alice")
    feed.follow(alice, 0)
    parents = {seq: traceparent() for seq in (1, 2, 4)}
    for seq, parent in parents.items():
        feed.trace(seq, parent)
        feed.take(seq, f"said {seq}")
    await settled()
    assert alice.heard == ["said 1", "said 2"]
    found = exported.named("hand out")
    assert {f"{span.parent.span_id:016x}" for span in found if span.parent} == {
        parents[seq].split("-")[2] for seq in (1, 2)
    }
    feed.take(3, "said 3")
    await settled()
    assert len(exported.named("hand out")) == 3
    feed.trace(4, parents[4])  # the layer says it once more
    await asyncio.sleep(0)
    assert feed._traced == {}
    feed.close()


def test_a_line_of_the_log_names_the_trace(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    part = spans.request("GET", traceparent())
    assert part
    with part.within():
        said = with_id(logging.getLogger(), "info", {})
    assert said["trace_id"] == f"{part.span.get_span_context().trace_id:032x}"
    assert "trace_id" not in with_id(logging.getLogger(), "info", {})
    monkeypatch.setattr(tracing, "tracer", None)
    assert "trace_id" not in with_id(logging.getLogger(), "info", {})


@pytest.mark.parametrize(
    ("name", "root", "of_sampled", "of_unsampled"),
    [
        ("always_on", True, True, True),
        ("always_off", False, False, False),
        ("traceidratio", False, False, False),
        ("parentbased_always_on", True, True, False),
        ("parentbased_always_off", False, True, False),
        ("parentbased_traceidratio", False, True, False),
    ],
)
def test_samplers_do_what_they_are_called(name: str, root: bool, of_sampled: bool, of_unsampled: bool) -> None:
    provider = TracerProvider(sampler=sampler(name, 0.0), shutdown_on_exit=False)
    spans = Spans(provider.get_tracer("tests"))
    given = ("", traceparent(), traceparent(sampled=False))
    assert [spans.request("GET", one) is not None for one in given] == [root, of_sampled, of_unsampled]

"""What alice says leaves one trace: from her to the process that bob's socket is at."""

import asyncio
import json
import secrets
import socket
from collections.abc import Iterator

import pytest

from client import Socket, dial, enter, new_id, new_room, room_path
from servers.app import Image, Server
from servers.collector import Collector, Span
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page

SECRET = "wine-at-eight"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres, collector: Collector) -> Iterator[Stack]:
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20key"}
    with Stack(image, postgres, SERVERS, **traced) as running:
        yield running


@pytest.fixture(params=range(len(SERVERS)), ids=SERVERS)
def here(request: pytest.FixtureRequest) -> int:
    """Which of the two processes alice is at. Bob is at the other one."""
    number: int = request.param
    return number


class Caller:
    """A client that traces itself: whose trace it is, and what it says of it."""

    def __init__(self, *, sampled: bool = True) -> None:
        self.trace, self.span = secrets.token_hex(16), secrets.token_hex(8)
        self.headers = {"traceparent": f"00-{self.trace}-{self.span}-{int(sampled):02}"}


async def come(stack: Stack, room: str, ws: int, caller: Caller | None = None, **query: object) -> Socket:
    path = room_path(room, **query)
    person = Socket(await dial(stack.ws[ws].ws_url + path, headers=caller.headers if caller else None))
    await person.of_type("welcome")
    return person


async def trace(collector: Collector, caller: Caller, *names: str) -> dict[str, list[Span]]:
    return await asyncio.to_thread(collector.trace, caller.trace, *names)


async def test_a_message_is_one_trace_from_alices_handshake_to_bobs_process(
    stack: Stack, collector: Collector, here: int
) -> None:
    room, caller = new_room(SECRET), Caller()
    async with await come(stack, room, here, caller, name=SECRET) as alice, await come(stack, room, 1 - here) as bob:
        await bob.sees("joined", alice.you)
        await alice.sees("joined", bob.you)
        await alice.say(f"{SECRET} at bob's")
        await bob.hears(f"{SECRET} at bob's")
        names = ("handshake", "arrive", "send", "append", "commit", "publish", "hand out", "hand out")
        found = await trace(collector, caller, *names)
    handshake, arrive, send, append, commit, publish = (found[name][0] for name in names[:6])
    assert sum(map(len, found.values())) == len(names)
    assert handshake.parent == caller.span
    assert handshake.attributes["http.response.status_code"] == 101
    assert [span.parent for span in (arrive, send)] == 2 * [handshake.id]
    assert append.parent == send.id
    assert [span.parent for span in (commit, publish)] == 2 * [append.id]
    assert append.attributes["topic.route"] == "room/<room:room>"
    assert arrive.attributes["http.route"] == "/ws/room/<room:room_name>/"
    assert {span.parent for span in found["hand out"]} == {publish.id}
    at_alices, at_both = {handshake.process}, {span.process for span in found["hand out"]}
    assert {span.process for span in (arrive, send, append, commit, publish)} == at_alices
    assert len(at_both) == 2
    assert at_alices < at_both
    assert SECRET not in collector.texts
    assert all(headers["x-key"] == "a key" for headers in collector.headers)


async def test_what_bob_posts_is_one_trace_over_three_processes(stack: Stack, collector: Collector) -> None:
    room, caller = new_room(SECRET), Caller()
    async with await come(stack, room, 0) as alice, await come(stack, room, 1) as carol:
        await alice.sees("joined", carol.you)
        await carol.sees("joined", alice.you)
        bob, form = Visitor(stack.base_url), {"body": f"{SECRET}, says bob", "id": new_id()}
        page = await asyncio.to_thread(lambda: bob.post(room_page(room), form, **caller.headers))
        assert page.status == 303
        await alice.hears(form["body"])
        await carol.hears(form["body"])
        names = ("append", "commit", "publish", "hand out", "hand out")
        found = await trace(collector, caller, "POST /room/<room:name>/", *names)
    request, append, commit, publish = (found[name][0] for name in ("POST /room/<room:name>/", *names[:3]))
    assert sum(map(len, found.values())) == 6
    assert (request.parent, request.attributes["http.response.status_code"]) == (caller.span, 303)
    assert request.attributes["request.id"] == page.headers["X-Request-Id"]
    assert append.parent == request.id
    assert [span.parent for span in (commit, publish)] == 2 * [append.id]
    assert {span.parent for span in found["hand out"]} == {publish.id}
    assert {request.service, *(span.service for span in found["hand out"])} == {"rooms wsgi", "rooms asgi"}
    assert len({span.process for spans in found.values() for span in spans}) == 3
    assert SECRET not in collector.texts


async def test_what_is_posted_to_a_topic_goes_on_with_the_trace(stack: Stack, collector: Collector, here: int) -> None:
    room, caller = new_room(), Caller()
    event = json.dumps({"id": new_id(), "data": {"body": SECRET}}).encode()
    headers = {"Content_Type": "application/json", **caller.headers}
    alice = Visitor(stack.ws[here].url)
    page = await asyncio.to_thread(lambda: alice.post_raw(f"/topics/room/{room}?token=x", event, **headers))
    assert page.status == 201, page.text
    found = await trace(collector, caller, "POST /topics/<topic:name>", "append", "commit", "publish")
    [request] = found["POST /topics/<topic:name>"]
    assert request.parent == caller.span
    assert found["append"][0].parent == request.id
    assert SECRET not in collector.texts


async def test_who_does_not_sample_leaves_nothing(stack: Stack, collector: Collector, here: int) -> None:
    room, unsampled, sampled = new_room(), Caller(sampled=False), Caller()
    async with await come(stack, room, here, unsampled) as alice, await come(stack, room, here, sampled) as bob:
        await alice.say("nobody looks")
        await bob.say("somebody looks")
        await alice.hears("somebody looks")
        await trace(collector, sampled, "send", "append", "commit", "publish", "hand out")
    assert collector.of(unsampled.trace) == []


async def test_a_refused_handshake_is_in_the_trace(stack: Stack, collector: Collector, here: int) -> None:
    caller = Caller()
    url = stack.ws[here].ws_url + room_path(new_room())
    with pytest.raises(Exception, match="403"):
        await dial(url, headers=caller.headers | {"Origin": "https://stranger.example"})
    found = await trace(collector, caller, "handshake")
    assert [span.attributes["http.response.status_code"] for span in found["handshake"]] == [403]


async def test_what_is_recorded_right_before_the_end_arrives(stack: Stack, collector: Collector, here: int) -> None:
    last = stack.image.ws("last", {**(stack.ws[here].env or {}), "OTEL_SERVICE_NAME": "the last"})
    await asyncio.to_thread(last.start)
    caller, room = Caller(), new_room()
    person = Socket(await dial(last.ws_url + room_path(room), headers=caller.headers))
    await person.say("farewell")
    assert await asyncio.to_thread(last.stop) == 0
    found = await trace(collector, caller, "handshake", "send", "append", "commit", "publish")
    assert {span.service for span in found["append"]} == {"the last"}
    await person.leave()


async def test_a_collector_that_hangs_costs_nobody_anything_but_the_traces(stack: Stack) -> None:
    """It takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        address = f"http://user:{SECRET}@127.0.0.1:{hanging.getsockname()[1]}"
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": address}
        alone = [stack.image.ws(f"alone-{each.name}", {**(each.env or {}), **env}) for each in stack.ws]
        await asyncio.gather(*(asyncio.to_thread(each.start) for each in alone))
        await asyncio.gather(*map(is_served, alone))
        assert await asyncio.gather(*(asyncio.to_thread(each.stop) for each in alone)) == [0, 0]
    for each in alone:
        said = [json.loads(line)["message"] for line in each.output().splitlines() if "OTEL_EXPORTER" in line]
        assert len(said) == 1, said
        assert "does not take them" in said[0]
        assert "opentelemetry" not in each.output()
        assert SECRET not in each.output()


async def is_served(server: Server) -> None:
    """Somebody talks while a batch hangs, until it is given up."""
    async with await enter(server.ws_url, new_room()) as alice, asyncio.timeout(60):
        said = 0
        while "OTEL_EXPORTER" not in server.output():
            await alice.say(f"message {(said := said + 1)}")
            await asyncio.sleep(0.05)
    assert said > 1

"""Topics over plain HTTP: alice reads and appends by curl, bob follows the stream, carol may not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.core import signing
from django.test import AsyncClient
from prometheus_client import REGISTRY

import contract
from realtime import admission, drain
from realtime.bundle import Bundle
from realtime.closing import RESTART
from realtime.limits import OUTBOX_BYTES
from topics import people, rates
from topics.data import SIGNAL_BYTES
from topics.delivery.services import Services
from topics.http import stream as stream_module
from topics.http.stream import EventStream, position_of
from topics.models import Entry, Log
from topics.who.identity import Identity
from unit.realtime.fakes import until

from .declared import Chat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

OPEN = "/topics/chat/open"


def browser(name: str = "alice") -> AsyncClient:
    client = AsyncClient()
    client.cookies[people.COOKIE] = signing.dumps([name, name], salt=people.SALT)
    return client


async def post(body: Any, name: str = "alice", path: str = OPEN, **more: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    content_type = more.pop("content_type", "application/json")
    return contract.answered(await browser(name).post(path, text, content_type=content_type, **more))


async def get(name: str = "alice", path: str = OPEN, **headers: str) -> Any:
    return contract.answered(await browser(name).get(path, headers=headers))


# --- Pages -------------------------------------------------------------------------------------------


async def test_history_comes_in_pages_from_either_end() -> None:
    topic = Chat(name_of_it="open")
    for number in range(1, 11):
        topic.append(number)

    async def seqs(query: str) -> list[int]:
        return [event["seq"] for event in (await get(path=OPEN + query)).json()["events"]]

    assert await seqs("") == list(range(1, 11))
    assert await seqs("?limit=3") == [8, 9, 10]
    assert await seqs("?before=8&limit=3") == [5, 6, 7]
    assert await seqs("?after=3&limit=3") == [4, 5, 6]
    assert await seqs("?after=3&before=5") == [4]
    assert await seqs("?before=1") == await seqs("?after=10") == []


async def test_a_page_says_where_the_log_ends() -> None:
    event = Chat(name_of_it="open").append({"text": "你好"})
    page = (await get()).json()
    assert (page["topic"], page["epoch"], page["seq"]) == ("chat/open", Log.objects.get().epoch, 1)
    assert (page["events"][0]["id"], page["events"][0]["data"]) == (event.id, {"text": "你好"})


async def test_looking_makes_no_log() -> None:
    assert (await get()).json() == {"topic": "chat/open", "epoch": "", "seq": 0, "events": []}
    assert Log.objects.count() == 0


@pytest.mark.parametrize("path", ["/topics/nothing", "/topics/chat/a%20b", OPEN])
async def test_what_carol_may_not_read_cannot_be_told_from_what_is_not_there(path: str) -> None:
    answer = await get("carol", path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "title": "Not Found",
        "status": 404,
        "code": "no_such_topic",
        "detail": "There is no such topic for you.",
    }


@pytest.mark.parametrize(
    "query", ["?after=x", "?before=-1", "?limit=1.5", "?limit=0", "?limit=", "?after=٣", "?after=" + "9" * 30]
)
async def test_numbers_are_whole(query: str) -> None:
    answer = await get(path=OPEN + query)
    assert answer.status_code == 400
    assert "is a whole number from" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["?since=1", "?epoch=a", "?since=1&epoch=" + "a" * 33, "?since=x&epoch=a"])
async def test_a_stream_begins_at_a_position_or_says_that_this_is_none(query: str) -> None:
    assert (await get(path=OPEN + query, accept="text/event-stream")).status_code == 400


async def test_long_replays_by_a_stream_have_their_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "REPLAYS_AT_ONCE", 1)
    monkeypatch.setattr(rates, "REPLAYS_A_SECOND", 0.001)
    topic = Chat(name_of_it="open")
    for number in range(60):
        topic.append(number)
    epoch = topic.position().epoch
    first, again, short = [
        await get(path=f"{OPEN}?since={since}&epoch={epoch}", accept="text/event-stream") for since in (0, 0, 55)
    ]
    assert [answer.status_code for answer in (first, again, short)] == [200, 429, 200]
    assert int(again.headers["Retry-After"]) > 0


async def test_who_asks_again_and_again_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "READS_A_SECOND", 0.001)
    monkeypatch.setattr(rates, "READS_AT_ONCE", 3)
    before = REGISTRY.get_sample_value("realtime_limited_total", {"limit": "reads"}) or 0
    answers = [await get(path=OPEN + query) for query in ("", "?limit=1", "?members", "")]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["Retry-After"]) > 900
    assert (await get(accept="text/event-stream")).status_code == 429
    assert (await get("bob")).status_code == 200
    assert REGISTRY.get_sample_value("realtime_limited_total", {"limit": "reads"}) == before + 2


async def test_where_guests_are_not_let_in_they_are_told_to_log_in(settings: Any) -> None:
    settings.ALLOW_GUESTS = False
    assert (await get()).status_code == 401


async def test_a_page_of_another_site_gets_nothing() -> None:
    assert (await get(origin="http://evil.example")).status_code == 403
    assert (await post({"data": 1}, headers={"origin": "http://evil.example"})).status_code == 403
    assert (await get(origin="http://testserver")).status_code == 200


async def test_other_methods_are_told_which_there_are() -> None:
    answer = await browser().put(OPEN)
    assert (answer.status_code, answer.json()["detail"]) == (405, "GET reads, POST appends.")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


# --- Appending ---------------------------------------------------------------------------------------


async def test_what_is_posted_is_stored_once() -> None:
    first = await post({"id": "a", "data": {"text": "hi"}})
    again = await post({"id": "a", "data": {"text": "hi"}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["id"], first.json()["seq"]) == ("a", 1)
    assert (await post({"id": "a", "data": 2})).status_code == 409
    assert Entry.objects.count() == 1


async def test_several_are_stored_in_order_each_with_its_own_outcome() -> None:
    several = [{"id": "a", "data": 1}, {"id": "n", "data": "nothing"}, {"id": "a", "data": 2}, {"data": 3}]
    results = (await post(several)).json()["results"]
    assert [result.get("seq") for result in results] == [1, None, None, 2]
    assert results[2]["error"]["code"] == "conflict"
    assert [event.data for event in Chat(name_of_it="open").events()] == [1, 3]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (" ", 400),
        ("{", 400),
        ("1", 422),
        ("[]", 422),
        ("[1]", 422),
        ('{"id":"a"}', 422),
        ('{"id":"","data":1}', 422),
        ('{"id":5,"data":1}', 422),
        ('{"id":"\\ud800","data":1}', 422),
        ('{"data":"\\u0000"}', 422),
        ('{"data":"\\ud800"}', 422),
        ('{"data":NaN}', 422),
        (json.dumps([{"data": 1}] * 101), 422),
        ("[" * 100_000, 400),
    ],
)
async def test_what_is_no_event_is_refused_with_a_sentence(body: str, status: int) -> None:
    answer = await post(body)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert Entry.objects.count() == 0


async def test_of_a_batch_it_is_said_which_event_is_none() -> None:
    answer = (await post([{"data": 1}, {"id": "b", "data": 2}, {"id": "", "data": 3}])).json()
    assert (answer["index"], answer["detail"]) == (2, "Event 3 of the list: An id is a text of 1 to 64 characters.")


async def test_an_event_of_a_batch_that_came_too_fast_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "rate", 1)
    results = (await post([{"data": number} for number in range(3)])).json()["results"]
    assert results[2]["error"]["code"] == "rate_limited"
    assert 0 < results[2]["error"]["retry_after_ms"] <= 1_001


async def test_a_form_of_another_site_cannot_post() -> None:
    assert (await post('{"data":1}', content_type="text/plain")).status_code == 415


async def test_who_may_not_write_is_told_so() -> None:
    assert (await post({"data": 1}, "mallory")).status_code == 403
    assert (await post({"data": 1}, "carol")).status_code == 404


async def test_who_posts_too_fast_is_told_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "rate", 1)
    answers = [await post({"data": number}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].headers["Retry-After"] == "1"
    assert 0 < answers[2].json()["retry_after_ms"] <= 1001


async def test_what_alice_wrote_does_not_go_out_as_bob() -> None:
    """Somebody else has logged in in her browser since."""
    alices = people.guest_of(signing.dumps(["alice", "alice"], salt=people.SALT)).public_key
    assert (await post({"data": 1}, headers={"Topics-Person": alices})).status_code == 201
    answer = await post({"data": 2}, "bob", headers={"Topics-Person": alices})
    assert (answer.status_code, answer.json()["code"]) == (409, "somebody_else")
    assert Entry.objects.count() == 1


async def test_a_guest_without_a_cookie_gets_one() -> None:
    answer = await AsyncClient().post(OPEN, '{"data":1}', content_type="application/json")
    assert people.COOKIE in answer.cookies


# --- The stream --------------------------------------------------------------------------------------


class Stream:
    """What bob's browser hears: (id, frame) for each event."""

    def __init__(self, response: Any) -> None:
        self.heard: list[tuple[str | None, dict[str, Any]]] = []
        self.retry: str | None = None
        self.comments = 0
        self.events = contract.Stream()
        self.task = asyncio.create_task(self._listen(response.streaming_content))

    async def _listen(self, chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            for event in chunk.decode().split("\n\n")[:-1]:
                if event.startswith(":"):
                    self.comments += 1
                    continue
                fields = dict(line.split(": ", 1) for line in event.split("\n"))
                self.retry = fields.get("retry", self.retry)
                [frame] = [frame for line in event.encode().splitlines() if (frame := self.events.take(line))]
                self.heard.append((fields.get("id"), frame))

    async def hears(self, type: str, times: int = 1) -> tuple[str | None, dict[str, Any]]:
        def found() -> list[Any]:
            return [(id, frame) for id, frame in self.heard if frame["type"] == type]

        await until(lambda: len(found()) >= times)
        return found()[times - 1]  # type: ignore[no-any-return]

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


async def follow(name: str = "bob", query: str = "", path: str = OPEN, **headers: str) -> Stream:
    response = await get(name, path + query, accept="text/event-stream", **headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    return Stream(response)


async def test_bob_hears_what_alice_posts() -> None:
    bob = await follow()
    await bob.hears("joined")
    await post({"id": "a", "data": "hi"})
    _, event = await bob.hears("event")
    assert (event["seq"], event["data"], event["by"]["name"]) == (1, "hi", "alice")
    await bob.leave()
    assert drain.sockets == set()
    assert Services.here().hub.feeds == {}


async def test_bob_returns_with_the_last_id_and_misses_nothing() -> None:
    topic = Chat(name_of_it="open")
    topic.append(1)
    bob = await follow()
    id, joined = await bob.hears("joined")
    assert [event["seq"] for event in joined["events"]] == [1]
    await bob.leave()
    for number in range(2, 70):
        topic.append(number)
    bob = await follow(last_event_id=str(id))
    _, joined = await bob.hears("joined")
    assert joined["recovered"]
    await bob.hears("event", 68 - len(joined["events"]))
    seqs = [event["seq"] for event in joined["events"]]
    seqs += [frame["seq"] for _, frame in bob.heard if frame["type"] == "event"]
    assert seqs == list(range(2, 70))
    last, _ = bob.heard[-1]
    assert position_of(str(last)) == (69, Log.objects.get().epoch)
    await bob.leave()


async def test_a_position_can_be_given_in_the_address() -> None:
    topic = Chat(name_of_it="open")
    topic.append(1)
    topic.append(2)
    bob = await follow(query=f"?since=1&epoch={topic.position().epoch}")
    _, joined = await bob.hears("joined")
    assert (joined["recovered"], [event["seq"] for event in joined["events"]]) == (True, [2])
    await bob.leave()


async def test_the_stream_begins_with_who_one_is() -> None:
    bob = await follow()
    await bob.hears("joined")
    assert [frame["type"] for _, frame in bob.heard] == ["welcome", "joined"]
    id, welcome = bob.heard[0]
    assert (id, welcome["you"]["name"], welcome["limits"]["signal_bytes"]) == (None, "bob", SIGNAL_BYTES)
    await bob.leave()


async def test_a_deploy_ends_the_stream_with_when_to_come_back() -> None:
    bob = await follow()
    await bob.hears("joined")
    for socket in list(drain.sockets):
        socket.close_with(RESTART)
    _, goodbye = await bob.hears("goodbye")
    assert goodbye["reason"] == "restart"
    assert bob.retry == str(RESTART.after_ms)
    await asyncio.wait_for(bob.task, 30)
    assert drain.sockets == set()


async def test_a_process_that_leaves_or_is_full_begins_no_stream(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(drain, "_draining", True)
    assert (await get(accept="text/event-stream")).status_code == 503
    monkeypatch.setattr(drain, "_draining", False)
    settings.MAX_SOCKETS = 0
    assert (await get(accept="text/event-stream")).status_code == 503


async def test_streams_count_as_sockets_do(settings: Any) -> None:
    """At the door of sockets it is the same count."""
    settings.MAX_SOCKETS, settings.SOCKETS_PER_ADDRESS = 2, 1
    bob = await follow()
    await bob.hears("joined")
    assert (admission.here.open, admission.here.full("127.0.0.1")) == (1, "too_many_sockets")
    answer = await get("alice", accept="text/event-stream")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
    settings.SOCKETS_PER_ADDRESS = 0
    alice = await follow("alice")
    await alice.hears("joined")
    assert (await get("dave", accept="text/event-stream")).status_code == 503
    await alice.leave()
    await bob.leave()
    assert (admission.here.open, admission.here.open_from) == (0, {})


async def test_streams_that_came_at_the_same_moment_are_not_more_than_fit(settings: Any) -> None:
    settings.MAX_SOCKETS = 1
    answers = [await get(name, accept="text/event-stream") for name in ("alice", "bob")]
    assert [answer.status_code for answer in answers] == [200, 200]  # neither has begun
    alice, bob = (Stream(answer) for answer in answers)
    await alice.hears("joined")
    assert (await bob.hears("goodbye"))[1]["reason"] == "unavailable"
    await alice.leave()
    assert admission.here.open == 0


async def test_a_quiet_stream_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "PING_SECONDS", 1)
    bob = await follow()
    await until(lambda: bob.comments > 0)
    assert [frame["type"] for _, frame in bob.heard] == ["welcome", "joined"]
    await bob.leave()


async def test_who_asks_for_the_head_of_a_stream_opens_none() -> None:
    answer = await browser().head(OPEN, headers={"accept": "text/event-stream"})
    assert (answer.status_code, answer.streaming, drain.sockets) == (200, False, set())


async def test_carol_gets_no_stream_of_what_she_may_not_read() -> None:
    assert (await get("carol", accept="text/event-stream")).status_code == 404


async def test_a_stream_that_is_not_read_is_bounded() -> None:
    services, topic = Services.here(), Chat(name_of_it="open")
    bob = people.guest_of(signing.dumps(["bob", "bob"], salt=people.SALT))
    stream = EventStream(services, topic, Identity(bob), await services.arrivals.join(topic, bob, None, None))
    large = Bundle.of("a" * 60_000)
    taken = 0
    while stream.hand(large):
        taken += large.size
    assert 0 < taken <= OUTBOX_BYTES
    waiting = len(stream._waiting)
    stream.offer(large)
    assert len(stream._waiting) == waiting, "what may get lost was kept for one who does not read"


@pytest.mark.parametrize("id", ["", "x", "a/b", "/", "a/-1", "a/1.5", "a/" + "9" * 30, "b" * 40 + "/1"])
def test_an_id_that_no_stream_gave_counts_as_absent(id: str) -> None:
    assert position_of(id) == (None, None)

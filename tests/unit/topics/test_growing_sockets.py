"""Alice reads an answer while it is written, comes back to it, and stops it: over sockets and over HTTP."""

import asyncio
import json
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from realtime import hubs
from topics.delivery import frames
from topics.delivery.live import PREFIX, TOPICS
from topics.delivery.services import Services
from topics.growing import grown, telling
from topics.growing.writing import Writing
from topics.models import Growing
from topics.storing import logs
from unit.realtime.fakes import until

from .declared import Chat, Votes
from .keeping import ByHand, by_hand
from .test_consumer import LUNCH, OPEN, Client
from .test_http import follow, post

__all__ = ["by_hand"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

CHAT = Chat(name_of_it="open")


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def written(by_hand: ByHand, committed: Any) -> Any:
    """An answer that is being written, with a hub that tells it."""

    def begin(topic: Any = CHAT) -> Writing:
        hubs.here(TOPICS)
        writing = Writing(topic, {"to": 41}, None)
        with committed():
            writing.__enter__()
        return writing

    return begin


def end(writing: Writing, committed: Any) -> None:
    with committed():
        writing.__exit__(None, None, None)


def write(writing: Writing, text: str) -> None:
    assert writing._growth
    writing._growth.write(text)


def assembled(client: Client) -> str:
    """What alice sees, as the protocol says that it is put together."""
    text = ""
    for frame in client.heard:
        events = frame["events"] if frame["type"] == "joined" else [frame]
        for event in events:
            if event["type"] in {"event", "change"}:
                text = event["data"]["text"]
            elif event["type"] == "more" and event["at"] <= len(text) < event["at"] + len(event["text"]):
                text = text[: event["at"]] + event["text"]
    return text


# --- Reading along -----------------------------------------------------------------------------------


async def test_alice_reads_along(written: Any, committed: Any) -> None:
    alice = Client()
    await alice.joins(OPEN)
    writing = written()
    event = await alice.hears("event")
    assert event["data"] == {"text": "", "status": "growing", "to": 41}
    write(writing, "Pizza")
    assert await alice.hears("more") == {"type": "more", "topic": OPEN, "seq": 1, "at": 0, "text": "Pizza"}
    write(writing, " is best.")
    await until(lambda: assembled(alice) == "Pizza is best.")
    end(writing, committed)
    change = await alice.hears("change")
    assert (change["seq"], change["about"]) == (2, 1)
    assert change["data"] == {"text": "Pizza is best.", "status": "done", "to": 41}
    told = len(alice.all("more"))
    write(writing, "never")
    await asyncio.sleep(2 * telling.TELL_SECONDS)
    assert len(alice.all("more")) == told


async def test_many_words_are_few_frames(written: Any, committed: Any) -> None:
    alice = Client()
    await alice.joins(OPEN)
    writing = written()
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(300):
        write(writing, "word ")
        await asyncio.sleep(0.001)
    await until(lambda: assembled(alice) == "word " * 300)
    assert len(alice.all("more")) <= (loop.time() - began) / telling.TELL_SECONDS + 1
    end(writing, committed)


async def test_who_comes_later_has_the_text_so_far_and_then_the_rest(
    written: Any, committed: Any, by_hand: ByHand
) -> None:
    writing = written()
    write(writing, "Pizza")
    by_hand.store()
    alice = Client()
    joined = await alice.joins(OPEN)
    assert joined["events"][0]["data"] == {"text": "Pizza", "status": "growing", "to": 41}
    write(writing, " is best.")
    await until(lambda: assembled(alice) == "Pizza is best.")
    end(writing, committed)
    await alice.hears("change")


async def test_who_comes_back_has_what_was_written_meanwhile(written: Any, committed: Any, by_hand: ByHand) -> None:
    writing = written()
    by_hand.store()
    alice = Client()
    joined = await alice.joins(OPEN)
    await alice.left()
    write(writing, "Pizza 🍕")
    by_hand.store()
    bob = Client()
    recovered = await bob.joins(OPEN, since=joined["seq"], epoch=joined["epoch"])
    assert (recovered["recovered"], recovered["events"]) == (True, [])
    assert await bob.hears("more") == {"type": "more", "topic": OPEN, "seq": 1, "at": 0, "text": "Pizza 🍕"}
    write(writing, "!")
    assert (await bob.hears("more", 2))["text"] == "Pizza 🍕!"
    end(writing, committed)


@pytest.mark.usefixtures("unchecked")
async def test_a_topic_in_which_nothing_grows_costs_no_query_more() -> None:
    CHAT.append(1)
    alice, bob = Client(), Client("bob")
    await bob.joins(OPEN)
    await hubs.here(TOPICS).feeds[PREFIX + OPEN].repair()  # the hub's own look at a log that it begins to follow
    await alice.hears("welcome")
    with CaptureQueriesContext(connections["default"]) as queries:
        await alice.joins(OPEN)
    assert len(queries) == 2


async def test_what_a_process_remembers_of_a_topic_that_grows_is_not_enough(written: Any, committed: Any) -> None:
    """The event that it remembers has no text yet."""
    alice = Client()
    await alice.joins(OPEN)
    hub = hubs.here(TOPICS)
    CHAT.append("before")
    writing = written()
    await alice.hears("event")
    epoch = logs.epoch_of(CHAT.name)
    assert hub.remembered(PREFIX + OPEN, epoch, 1) is not None
    write(writing, "Pizza")
    await alice.hears("more")
    assert hub.remembered(PREFIX + OPEN, epoch, 1) is None
    end(writing, committed)


async def test_bob_in_another_process_is_told_by_the_layer(process: Any, written: Any, committed: Any) -> None:
    alice = Client()
    await alice.joins(OPEN)
    hub = hubs.here(TOPICS)
    hub._receive(PREFIX + OPEN, {"frame": frames.more(OPEN, 1, 0, "Pizza"), "grows": True})
    assert (await alice.hears("more"))["text"] == "Pizza"
    assert hub.feeds[PREFIX + OPEN].grows


# --- Stopping ----------------------------------------------------------------------------------------


async def test_alice_stops_it(written: Any, by_hand: ByHand, committed: Any) -> None:
    alice = Client()
    await alice.joins(OPEN)
    writing = written()
    write(writing, "Pizza")
    assert not by_hand.is_told
    with committed():
        alice.says(type="cancel", topic=OPEN, seq=1)
        await until(lambda: by_hand.is_told)
        by_hand.stop()
    change = await alice.hears("change")
    assert change["data"] == {"text": "Pizza", "status": "cancelled", "to": 41}
    assert writing._growth
    assert writing._growth.status == "cancelled"


async def test_who_may_not_write_stops_nothing(written: Any, committed: Any) -> None:
    writing = written()
    for name, code in (("mallory", "forbidden"), ("carol", "no_such_topic")):
        client = Client(name)
        client.says(type="cancel", topic=OPEN, seq=1)
        assert (await client.hears("error"))["code"] == code
    assert Growing.objects.get().cancelled is False
    end(writing, committed)


@pytest.mark.parametrize("seq", [1, 2, 2**62])
async def test_what_does_not_grow_is_not_stopped(seq: int) -> None:
    CHAT.append(1)
    alice = Client()
    alice.says(type="cancel", topic=OPEN, seq=seq)
    error = await alice.hears("error")
    assert (error["code"], error["topic"]) == ("not_growing", OPEN)


@pytest.mark.parametrize(
    "frame", [{"topic": OPEN}, {"topic": OPEN, "seq": "1"}, {"seq": 1}, {"topic": OPEN, "seq": -1}]
)
async def test_a_cancel_that_is_none_is_refused(frame: dict[str, Any]) -> None:
    alice = Client()
    alice.says(type="cancel", **frame)
    assert (await alice.hears("error"))["code"] == "bad_frame"


async def test_stopping_takes_from_what_a_person_may_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Votes, "rate", 1)
    monkeypatch.setattr(Votes, "may", lambda *_: True)
    alice = Client()
    for _ in range(3):
        alice.says(type="cancel", topic=LUNCH, seq=1)
    await alice.hears("error", 3)
    assert [error["code"] for error in alice.all("error")] == ["not_growing", "not_growing", "rate_limited"]


# --- Over HTTP ---------------------------------------------------------------------------------------


async def test_a_stream_that_resumes_has_what_was_written_meanwhile(
    written: Any, committed: Any, by_hand: ByHand
) -> None:
    writing = written()
    write(writing, "Pizza")
    by_hand.store()
    epoch = logs.epoch_of(CHAT.name)
    stream = await follow(query=f"?since=1&epoch={epoch}")
    _, joined = await stream.hears("joined")
    assert joined["recovered"]
    assert await stream.hears("more") == (None, {"type": "more", "topic": OPEN, "seq": 1, "at": 0, "text": "Pizza"})
    write(writing, "!")
    id, more = await stream.hears("more", 2)
    assert (id, more["text"]) == (None, "Pizza!"), "it moves the position of nobody who returns"
    end(writing, committed)
    id, change = await stream.hears("change")
    assert (id, change["data"]["status"]) == (f"{epoch}/2", "done")
    await stream.leave()


async def test_a_post_stops_it(written: Any, by_hand: ByHand, committed: Any) -> None:
    writing = written()
    answer = await post("", path=f"/topics/{OPEN}?cancel=1")
    assert (answer.status_code, answer.json()) == (200, {"topic": OPEN, "seq": 1})
    assert by_hand.is_told
    with committed():
        by_hand.stop()
    again = await post("", path=f"/topics/{OPEN}?cancel=1")
    assert (again.status_code, again.json()["code"]) == (409, "not_growing")
    assert (await post("", "mallory", path=f"/topics/{OPEN}?cancel=1")).status_code == 403
    assert (await post("", path=f"/topics/{OPEN}?cancel=x")).status_code == 400
    writing.__exit__(None, None, None)


# --- Found by who looks ------------------------------------------------------------------------------


async def test_alice_is_told_that_the_writer_was_killed(
    written: Any, by_hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = Client()
    await alice.joins(OPEN)
    writing = written()
    write(writing, "Pizza")
    by_hand.store()
    monkeypatch.setattr(grown, "LEASE", -grown.LEASE)
    for _ in range(grown.LOOKS):
        await TOPICS.changed(2)
    change = await alice.hears("change")
    assert change["data"] == {"text": "Pizza", "status": "failed", "to": 41}
    assert json.loads(json.dumps(change))["by"] is None
    writing.__exit__(None, None, None)
    assert Services.here().hub.feeds[PREFIX + OPEN].seq == 2

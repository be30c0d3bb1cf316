"""A socket with many topics, without a server: alice and bob vote, carol may not."""

import asyncio
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import OperationalError, connections
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

import contract
from realtime import checking
from realtime.limits import BAD_FRAMES_IN_A_ROW
from topics import people, permission, rates
from topics.data import SIGNAL_BYTES
from topics.delivery import consumer
from topics.delivery.consumer import TopicsConsumer
from topics.delivery.services import MOST_TOPICS, Services
from topics.models import Entry, Log
from topics.people import Person
from topics.storing import log, logs
from topics.storing.outcomes import Unavailable
from unit.realtime.fakes import until

from .declared import Chat, Votes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

Frame = dict[str, Any]
LUNCH = "votes/lunch"
OPEN = "chat/open"


class Client:
    """One tab: what it says the consumer receives, and what the consumer sends is in `heard`."""

    def __init__(
        self,
        name: str = "alice",
        cookie: str = "",
        subprotocols: tuple[str, ...] = ("topics.v1",),
        bearer: str | None = None,
    ) -> None:
        cookie = cookie or f"guest={signing.dumps([name, name], salt=people.SALT)}"
        bears = [(b"authorization", f"Bearer {bearer}".encode())] if bearer is not None else []
        scope = {
            "type": "websocket",
            "headers": [(b"cookie", cookie.encode()), *bears],
            "query_string": b"",
            "subprotocols": list(subprotocols),
        }
        self.accepted: Frame | None = None
        self.heard: list[Frame] = []
        self.closed: int | None = None
        self.inbox: asyncio.Queue[Frame] = asyncio.Queue()
        self.inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(TopicsConsumer.as_asgi()(scope, self.inbox.get, self.send))

    async def send(self, event: Frame) -> None:
        if event["type"] == "websocket.accept":
            self.accepted = event
        elif event["type"] == "websocket.close":
            self.closed = event["code"]
            self.leave()
        else:
            found = json.loads(event["text"])
            contract.heard("topics", found)
            self.heard += found if isinstance(found, list) else [found]

    def says(self, text: str | None = None, binary: bytes | None = None, **frame: Any) -> None:
        text = json.dumps(frame) if frame else text
        self.inbox.put_nowait({"type": "websocket.receive", "text": text, "bytes": binary})

    def all(self, type: str, topic: str | None = None) -> list[Frame]:
        return [frame for frame in self.heard if frame["type"] == type and topic in (None, frame.get("topic"))]

    async def hears(self, type: str, times: int = 1, topic: str | None = None) -> Frame:
        await until(lambda: len(self.all(type, topic)) >= times)
        return self.all(type, topic)[times - 1]

    async def joins(self, topic: str, **position: Any) -> Frame:
        times = len(self.all("joined", topic)) + 1
        self.says(type="join", topic=topic, **position)
        return await self.hears("joined", times, topic)

    async def sends(self, topic: str, id: str, data: Any) -> Frame:
        self.says(type="send", topic=topic, id=id, data=data)
        await until(lambda: self.answers(id))
        return self.answers(id)[0]

    def answers(self, id: str) -> list[Frame]:
        return [frame for frame in self.heard if frame.get("id") == id and frame["type"] in {"ack", "error"}]

    def leave(self) -> None:
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def left(self) -> None:
        self.leave()
        await asyncio.wait_for(self.task, 30)


# --- Joining -----------------------------------------------------------------------------------------


async def test_the_socket_is_welcomed_once_and_each_topic_says_joined() -> None:
    alice = Client()
    alice.says(type="join", topic=LUNCH)  # before she has been welcomed
    joined = await alice.hears("joined")
    assert alice.accepted == {"type": "websocket.accept", "subprotocol": "topics.v1"}
    welcome = alice.heard[0]
    assert welcome["type"] == "welcome"
    assert welcome["you"] == {"key": people.public_key_of("guest:alice"), "name": "alice", "guest": True}
    assert welcome["limits"]["topics"] == MOST_TOPICS
    assert joined == {
        "type": "joined",
        "topic": LUNCH,
        "epoch": "",
        "seq": 0,
        "recovered": False,
        "events": [],
        "members": [welcome["you"]],
        "member_count": 1,
    }
    assert Log.objects.count() == 0, "looking made a log"


async def test_who_is_logged_in_comes_by_that_name() -> None:
    browser = Browser()
    browser.force_login(get_user_model().objects.create_user("alice"))
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    you = (await alice.hears("welcome"))["you"]
    assert (you["name"], you["guest"]) == ("alice", False)


async def test_where_guests_are_not_let_in_a_guest_is_told_to_log_in(settings: Any) -> None:
    settings.ALLOW_GUESTS = False
    carol = Client("carol")
    assert (await carol.hears("goodbye"))["reason"] == "login_required"
    await asyncio.wait_for(carol.task, 30)
    assert carol.closed == 4401


@pytest.mark.parametrize("topic", ["nothing", "chat/open/more", OPEN, "votes/a b"])
async def test_what_carol_may_not_read_cannot_be_told_from_what_is_not_there(topic: str) -> None:
    carol = Client("carol")
    carol.says(type="join", topic=topic)
    error = await carol.hears("error")
    assert error == {
        "type": "error",
        "code": "no_such_topic",
        "detail": "There is no such topic for you.",
        "topic": topic,
    }
    assert (await carol.joins(LUNCH))["seq"] == 0, "the refusal has cost her the socket"


@pytest.mark.usefixtures("unchecked")
async def test_a_hundred_topics_are_joined_by_few_queries() -> None:
    alice = Client()
    await alice.hears("welcome")
    for number in range(0, MOST_TOPICS, 3):
        Chat(name_of_it=f"t{number}").append(number)
    with CaptureQueriesContext(connections["default"]) as queries:
        for number in range(MOST_TOPICS):
            alice.says(type="join", topic=f"chat/t{number}")
        await alice.hears("joined", MOST_TOPICS)
    reads = [query for query in queries if "topics_" in query["sql"]]
    assert len(reads) <= 2 + len(range(0, MOST_TOPICS, 3)) // 3, reads  # the feeds' own first look comes on top


async def test_one_topic_more_than_a_socket_may_have_is_refused() -> None:
    alice = Client()
    for number in range(MOST_TOPICS + 1):
        alice.says(type="join", topic=f"chat/t{number}")
    assert (await alice.hears("error"))["code"] == "too_many_topics"
    await alice.hears("joined", MOST_TOPICS)
    alice.says(type="leave", topic="chat/t0")
    assert await alice.hears("left") == {"type": "left", "topic": "chat/t0", "reason": "asked"}
    await alice.joins("chat/t100")


async def test_who_leaves_a_topic_hears_nothing_of_it_any_more() -> None:
    alice, bob = Client("alice"), Client("bob")
    for client in (alice, bob):
        await client.joins(OPEN)
        await client.joins("chat/other")
    alice.says(type="leave", topic=OPEN)
    await alice.hears("left")
    await bob.sends(OPEN, "a", 1)
    await bob.sends("chat/other", "b", 2)
    await alice.hears("event", topic="chat/other")
    assert alice.all("event", OPEN) == []


async def test_who_goes_while_joining_leaves_nothing_behind() -> None:
    alice = Client()
    await alice.hears("welcome")
    alice.says(type="join", topic=OPEN)
    await alice.left()
    assert Services.here().hub.feeds == {}


# --- Sending -----------------------------------------------------------------------------------------


async def test_what_is_sent_is_acknowledged_and_heard_by_everybody_in_the_topic_alone() -> None:
    alice, bob = Client("alice"), Client("bob")
    await alice.joins(OPEN)
    await bob.joins(OPEN)
    await bob.joins("chat/other")
    ack = await alice.sends(OPEN, "a", {"text": "你好"})
    assert (ack["type"], ack["topic"], ack["seq"]) == ("ack", OPEN, 1)
    event = await bob.hears("event")
    assert await alice.hears("event") == event
    assert event == {
        "type": "event",
        "topic": OPEN,
        "seq": 1,
        "id": "a",
        "by": (await alice.hears("welcome"))["you"],
        "data": {"text": "你好"},
        "at": ack["at"],
    }


async def test_the_same_again_is_the_same_and_another_under_the_same_id_is_refused() -> None:
    alice, bob = Client("alice"), Client("bob")
    first = await alice.sends(OPEN, "a", 1)
    assert (await bob.sends(OPEN, "a", 2))["seq"] == 2, "alice's id is hers alone"
    again = Client("alice")
    assert await again.sends(OPEN, "a", 1) == first
    third = Client("alice")
    assert (await third.sends(OPEN, "a", 5))["code"] == "conflict"
    assert Entry.objects.count() == 2


async def test_the_topic_refuses_in_its_own_words() -> None:
    get_user_model().objects.create_user("alice")
    browser = Browser()
    browser.force_login(get_user_model().objects.get())
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    refusal = await alice.sends(LUNCH, "a", {"option": "stone"})
    assert (refusal["code"], refusal["detail"], refusal["topic"]) == ("refused", "unknown option", LUNCH)
    assert (await alice.sends(LUNCH, "b", {"option": "pizza", "more": 1}))["seq"] == 1
    assert Votes(poll="lunch").events()[0].data == {"option": "pizza"}


async def test_a_topic_that_cannot_understand_what_it_gets_does_not_end_the_socket(caplog: Any) -> None:
    get_user_model().objects.create_user("alice")
    browser = Browser()
    browser.force_login(get_user_model().objects.get())
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    assert (await alice.sends(LUNCH, "a", "no dict"))["code"] == "refused"
    assert "could not take" in caplog.text
    assert (await alice.sends(LUNCH, "b", {"option": "pasta"}))["type"] == "ack"


async def test_what_is_taken_and_not_appended_is_acknowledged_without_a_number() -> None:
    alice = Client()
    ack = await alice.sends(OPEN, "a", "nothing")
    assert (ack["type"], ack["seq"]) == ("ack", None)
    assert Entry.objects.count() == 0


async def test_who_may_read_only_is_told_so_and_who_may_nothing_is_told_nothing() -> None:
    mallory, carol = Client("mallory"), Client("carol")
    await mallory.joins(OPEN)
    assert (await mallory.sends(OPEN, "a", 1))["code"] == "forbidden"
    assert (await carol.sends(OPEN, "a", 1))["code"] == "no_such_topic"
    assert Entry.objects.count() == 0


async def test_an_answer_about_writing_is_kept_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed, asked = [True], []

    async def may(self: Chat, person: Person, act: str) -> bool:
        asked.append(act)
        return act == "read" or allowed[0]

    monkeypatch.setattr(Chat, "may", may)
    alice = Client()
    await alice.sends(OPEN, "a", 1)
    await alice.sends(OPEN, "b", 1)
    assert asked == ["write"]
    allowed[0] = False
    Services.here()._known_to_write.clear()  # as a second later
    assert (await alice.sends(OPEN, "c", 1))["code"] == "forbidden"
    assert permission.KEPT_SECONDS <= 1


async def test_a_mistake_in_may_means_no(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    async def may(self: Chat, person: Person, act: str) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(Chat, "may", may)
    alice = Client()
    alice.says(type="join", topic=OPEN)
    assert (await alice.hears("error"))["code"] == "no_such_topic"
    assert "does not know who may read" in caplog.text


async def test_while_the_database_is_away_alice_is_asked_to_send_again(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = Client()
    await alice.joins(OPEN)
    monkeypatch.setattr(log, "in_one_transaction", away)
    refusal = await alice.sends(OPEN, "a", 1)
    assert (refusal["code"], refusal["retry_after_ms"]) == ("unavailable", 1000)
    monkeypatch.undo()


def away(*args: Any, **kwargs: Any) -> Any:
    raise OperationalError("nobody listens there")


async def test_who_sends_faster_than_the_topic_takes_is_told_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "rate", 1)
    tabs = [Client("alice"), Client("alice"), Client("alice")]
    answers = [await tab.sends(OPEN, f"{number}", number) for number, tab in enumerate(tabs)]
    assert [answer["type"] for answer in answers] == ["ack", "ack", "error"]
    assert answers[2]["code"] == "rate_limited"
    assert answers[2]["retry_after_ms"] > 0
    assert (await Client("bob").sends(OPEN, "b", 1))["type"] == "ack", "alice's rate is hers alone"


async def test_an_event_for_a_log_that_is_gone_makes_another() -> None:
    alice = Client()
    await alice.sends(OPEN, "a", 1)
    logs.remember(Log.objects.get())
    Log.objects.all().delete()
    assert (await alice.sends(OPEN, "b", 1))["seq"] == 1


async def test_many_events_of_one_socket_stay_in_order(settings: Any) -> None:
    settings.MESSAGE_RATE = settings.MESSAGE_BURST = 1_000
    alice = Client()
    await alice.joins(OPEN)
    for number in range(200):
        alice.says(type="send", topic=OPEN, id=f"{number}", data=number)
    await alice.hears("ack", 200)
    await alice.hears("event", 200)
    assert [event["data"] for event in alice.all("event")] == list(range(200))
    assert [event["seq"] for event in alice.all("event")] == list(range(1, 201))


async def test_more_sockets_are_not_more_to_send_for_one_person(settings: Any) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.001, 3
    tabs = [Client("alice") for _ in range(5)]
    answers = [await tab.sends(OPEN, f"{number}", number) for number, tab in enumerate(tabs)]
    assert [answer["type"] for answer in answers] == ["ack"] * 3 + ["error"] * 2
    assert answers[-1]["code"] == "rate_limited"
    assert (await Client("bob").sends(OPEN, "b", 1))["type"] == "ack"


async def test_joining_and_leaving_again_and_again_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(consumer, "JOIN_RATE", 0.001)  # on a slow machine as many more would be let through meanwhile
    alice = Client()
    for number in range(2 * MOST_TOPICS + 1):
        alice.says(type="join", topic=f"chat/t{number % 50}")
    assert (await alice.hears("error"))["code"] == "rate_limited"


# --- Who may stay -----------------------------------------------------------------------------------


async def test_who_logs_out_hears_and_says_nothing_more() -> None:
    browser = Browser()
    user = get_user_model().objects.create_user("alice")
    browser.force_login(user)
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    bob = Client("bob")
    for client in (alice, bob):
        await client.joins(OPEN)
    browser.logout()
    Services.here().hub.doubt(person=f"user:{user.pk}")
    assert (await alice.hears("goodbye"))["reason"] == "login_required"
    await asyncio.wait_for(alice.task, 30)
    assert alice.closed == 4401
    assert (await bob.sends(OPEN, "b", 1))["type"] == "ack"


async def test_who_logs_out_says_nothing_more_where_she_follows_nothing() -> None:
    browser = Browser()
    user = get_user_model().objects.create_user("alice")
    browser.force_login(user)
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    assert (await alice.sends(OPEN, "a", 1))["type"] == "ack"
    browser.logout()
    Services.here().hub.doubt(person=f"user:{user.pk}")
    assert (await alice.hears("goodbye"))["reason"] == "login_required"


async def test_a_topic_that_cannot_be_asked_who_may_read_keeps_nobody_logged_in(monkeypatch: Any) -> None:
    async def may(self: Chat, person: Person, act: str) -> bool:
        raise OperationalError("its own database is away")

    monkeypatch.setattr(checking, "CHECK_SECONDS", 3600)  # which would find it later
    browser = Browser()
    user = get_user_model().objects.create_user("alice")
    browser.force_login(user)
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    bob = Client("bob")
    for client in (alice, bob):
        await client.joins(OPEN)
    monkeypatch.setattr(Chat, "may", may)
    browser.logout()
    hub = Services.here().hub
    hub.doubt(room="topic:" + OPEN)
    assert (await alice.hears("goodbye"))["reason"] == "login_required"
    await until(lambda: hub.standing.task is None)
    assert bob.all("left") == []


async def test_who_may_no_longer_read_a_topic_leaves_it_and_keeps_the_others(monkeypatch: Any) -> None:
    alice, bob = Client("alice"), Client("bob")
    for client in (alice, bob):
        await client.joins(OPEN)
        await client.joins(LUNCH)

    async def may(self: Chat, person: Person, act: str) -> bool:
        return person.name != "alice"

    monkeypatch.setattr(Chat, "may", may)
    Services.here().hub.doubt(room="topic:" + OPEN)
    assert await alice.hears("left") == {"type": "left", "topic": OPEN, "reason": "forbidden"}
    await bob.sends(OPEN, "b", 1)
    await bob.hears("event")
    assert alice.all("event") == []
    assert alice.closed is None


# --- Signals -----------------------------------------------------------------------------------------


async def test_a_signal_reaches_the_others_and_leaves_nothing() -> None:
    alice, bob = Client("alice"), Client("bob")
    await alice.joins(OPEN)
    await bob.joins(OPEN)
    alice.says(type="signal", topic=OPEN, data={"x": 1})
    signal = await bob.hears("signal")
    assert signal == {"type": "signal", "topic": OPEN, "by": alice.heard[0]["you"], "data": {"x": 1}}
    await alice.sends(OPEN, "a", 1)
    assert alice.all("signal") == []
    assert Entry.objects.count() == 1


async def test_a_signal_that_is_too_long_is_refused() -> None:
    alice = Client()
    alice.says(type="signal", topic=OPEN, data="a" * SIGNAL_BYTES)
    assert (await alice.hears("error"))["code"] == "too_long"


# --- Coming back -------------------------------------------------------------------------------------


async def test_who_was_there_before_the_first_event_resumes_from_nothing() -> None:
    alice = Client()
    joined = await alice.joins(OPEN)
    await alice.left()
    Chat(name_of_it="open").append(1)
    again = await Client("alice").joins(OPEN, since=joined["seq"], epoch=joined["epoch"])
    assert again["recovered"]
    assert [event["seq"] for event in again["events"]] == [1]


async def test_who_returns_gets_what_was_missed_and_nothing_twice() -> None:
    topic = Chat(name_of_it="open")
    for number in range(60):
        topic.append(number)
    topic.amend(3, "amended")
    topic.retract(4)
    epoch = topic.position().epoch
    alice = Client()
    joined = await alice.joins(OPEN, since=2, epoch=epoch)
    await until(lambda: len(joined["events"]) + len(alice.all("event")) + len(alice.all("change")) >= 60)
    heard = [*joined["events"], *(frame for frame in alice.heard if frame["type"] in {"event", "change"})]
    assert joined["recovered"]
    assert [frame["seq"] for frame in heard] == list(range(3, 63))
    assert (heard[0]["data"], heard[1]["data"], heard[1]["retracted"]) == ("amended", None, True)
    assert [(frame["seq"], frame["about"]) for frame in heard if frame["type"] == "change"] == [(61, 3), (62, 4)]


async def test_long_replays_have_a_price_for_a_person_and_others_are_served(monkeypatch: Any) -> None:
    monkeypatch.setattr(rates, "REPLAYS_AT_ONCE", 2)
    monkeypatch.setattr(rates, "REPLAYS_A_SECOND", 0.001)
    topic = Chat(name_of_it="open")
    for number in range(60):
        topic.append(number)
    epoch = topic.position().epoch
    for tab in (Client("mallory"), Client("mallory")):
        await tab.joins(OPEN, since=0, epoch=epoch)
    mallory = Client("mallory")
    mallory.says(type="join", topic=OPEN, since=0, epoch=epoch)
    error = await mallory.hears("error")
    assert (error["code"], error["topic"]) == ("rate_limited", OPEN)
    assert error["retry_after_ms"] > 0
    assert (await mallory.joins(OPEN, since=55, epoch=epoch))["recovered"], "a short one is free"
    await Client("bob").joins(OPEN, since=0, epoch=epoch)


async def test_who_returns_is_not_told_what_was_taken_away_though_others_have_heard_it() -> None:
    topic = Chat(name_of_it="open")
    bob, feed = Client("bob"), "topic:" + OPEN
    await bob.joins(OPEN)
    for number in range(60):
        await bob.sends(OPEN, f"{number}", "secret" if number == 55 else number)
    topic.retract(56)
    await Services.here().hub.feeds[feed].repair()
    await bob.hears("change")
    alice = Client()
    joined = await alice.joins(OPEN, since=0, epoch=topic.position().epoch)
    await alice.hears("change")
    heard = [*joined["events"], *alice.all("event"), *alice.all("change")]
    assert [frame["seq"] for frame in heard] == list(range(1, 62))
    assert heard[55]["retracted"] is True
    assert "secret" not in [frame.get("data") for frame in heard]


@pytest.mark.parametrize("position", [{"since": 5, "epoch": "another"}, {"since": 99, "epoch": None}, {"since": 0}])
async def test_who_cannot_resume_gets_the_latest(position: Frame) -> None:
    topic = Chat(name_of_it="open")
    for number in range(55):
        topic.append(number)
    joined = await Client().joins(OPEN, **({**position, "epoch": position.get("epoch") or "x"}))
    assert not joined["recovered"]
    assert [event["seq"] for event in joined["events"]] == list(range(6, 56))


async def test_what_is_not_kept_any_more_cannot_be_resumed() -> None:
    topic = Chat(name_of_it="open")
    for number in range(5):
        topic.append(number)
    Entry.objects.filter(seq__lte=3).delete()
    Log.objects.update(pruned=3)
    epoch = topic.position().epoch
    beyond = await Client().joins(OPEN, since=2, epoch=epoch)
    assert (beyond["recovered"], [event["seq"] for event in beyond["events"]]) == (False, [4, 5])
    within = await Client().joins(OPEN, since=3, epoch=epoch)
    assert (within["recovered"], [event["seq"] for event in within["events"]]) == (True, [4, 5])


async def test_changes_are_heard_live() -> None:
    alice = Client()
    await alice.sends(OPEN, "a", "first")
    await alice.joins(OPEN)
    topic = Chat(name_of_it="open")
    hub = Services.here().hub
    for change in (topic.amend(1, "second"), topic.retract(1)):
        assert change.about == 1
    await hub.feeds["topic:" + OPEN].repair()
    changes = [await alice.hears("change", times) for times in (1, 2)]
    assert [(frame["seq"], frame["about"]) for frame in changes] == [(2, 1), (3, 1)]
    assert changes[1]["retracted"] is True


# --- Reading -----------------------------------------------------------------------------------------


async def test_what_is_read_is_no_longer_unread() -> None:
    topic = Chat(name_of_it="open")
    for number in range(3):
        topic.append(number)
    alice = Client()
    await alice.joins(OPEN)
    alice.says(type="read", topic=OPEN, seq=2)
    assert await alice.hears("unread") == {"type": "unread", "topic": OPEN, "unread": 1}
    alice.says(type="read", topic="chat/elsewhere", seq=2)
    assert (await alice.hears("error"))["code"] == "no_such_topic"


# --- What is no frame --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_json"),
        ("[]", "bad_frame"),
        ('{"type":5}', "bad_frame"),
        ('{"type":"shout"}', "unknown_type"),
        ('{"type":"join"}', "bad_frame"),
        ('{"type":"join","topic":""}', "bad_frame"),
        ('{"type":"join","topic":"a","since":-1}', "bad_frame"),
        ('{"type":"join","topic":"a","since":"1"}', "bad_frame"),
        ('{"type":"send","topic":"chat/open"}', "bad_frame"),
        ('{"type":"send","topic":"chat/open","data":NaN}', "bad_json"),
        ('{"type":"send","topic":"chat/open","data":"\\u0000"}', "bad_frame"),
        ('{"type":"send","topic":"chat/open","data":"\\ud800"}', "bad_frame"),
        ('{"type":"signal","topic":"chat/open","data":"\\u0000"}', "bad_frame"),
        ('{"type":"send","topic":"\\ud800","data":1}', "bad_frame"),
    ],
)
async def test_what_is_no_frame_is_refused_with_a_reason(text: str, code: str) -> None:
    alice = Client()
    alice.says(text)
    error = await alice.hears("error")
    assert (error["code"], bool(error["detail"])) == (code, True)
    alice.says(type="ping")
    await alice.hears("pong")


async def test_who_does_not_understand_is_closed() -> None:
    alice = Client()
    for _ in range(BAD_FRAMES_IN_A_ROW):
        alice.says(binary=b"binary")
    await asyncio.wait_for(alice.task, 30)
    assert alice.closed == 4400
    assert alice.heard[-1]["type"] == "goodbye"


async def test_nothing_of_a_failed_store_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = Client()
    await alice.joins(OPEN)
    monkeypatch.setattr("topics.delivery.sending.append_all", lambda news, skip_locked: [Unavailable("x")] * len(news))
    assert (await alice.sends(OPEN, "a", 1))["code"] == "unavailable"
    assert alice.all("event") == []

"""The room's socket without a server: alice and bob are guests with names, carol may not come in."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import OperationalError, connections
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

import contract
from realtime import checking, drain, hubs, registry
from realtime import hub as hub_module
from realtime.closing import LOGIN, RESTART
from realtime.limits import BAD_FRAMES_IN_A_ROW, OUTBOX_BYTES
from rooms import making
from rooms.consumers import RoomConsumer
from rooms.models import Room
from rooms.topics import RoomTopic
from topics import people, rates
from topics.delivery import arrivals, sending
from topics.delivery.consumer import TopicsConsumer
from topics.delivery.live import TOPICS
from topics.delivery.services import Services
from topics.delivery.socket import MOST_IN_FLIGHT
from topics.models import Entry
from topics.sockets import NoRoute
from topics.storing import database
from topics.storing import writer as writing
from topics.storing.outcomes import Unavailable
from unit.realtime.fakes import Layer, settled, until

pytestmark = pytest.mark.django_db

Frame = dict[str, Any]
LOBBY = RoomTopic(room="lobby")


class Client:
    """One tab: what it says the consumer receives, and what the consumer sends is in `heard`."""

    consumer: Any = RoomConsumer

    def __init__(
        self,
        name: str = "alice",
        room: str = "lobby",
        query: str = "",
        cookie: str = "",
        subprotocols: tuple[str, ...] = (),
        address: str = "127.0.0.1",
        language: str = "",
    ) -> None:
        cookie = cookie or f"guest={signing.dumps([name, name], salt=people.SALT)}"
        self.scope = {
            "type": "websocket",
            "client": [address, 0],
            "headers": [(b"cookie", cookie.encode()), (b"accept-language", language.encode())],
            "query_string": query.encode(),
            "url_route": {"kwargs": {"room_name": room}},
            "subprotocols": list(subprotocols),
        }
        self.accepted: Frame | None = None
        self.heard: list[Frame] = []
        self.closed: int | None = None
        self.gone = False
        self.reading = asyncio.Event()
        self.reading.set()
        self.inbox: asyncio.Queue[Frame] = asyncio.Queue()
        self.inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(self.consumer.as_asgi()(self.scope, self.inbox.get, self.send))

    async def send(self, event: Frame) -> None:
        if self.gone:
            raise OSError("the client has gone")
        if event["type"] == "websocket.accept":
            self.accepted = event
            return
        if not self.reading.is_set():
            await self.reading.wait()
        if event["type"] == "websocket.close":
            self.closed = event["code"]
            self.leave()
        else:
            found = json.loads(event["text"])
            contract.heard("topics" if self.consumer is TopicsConsumer else "rooms", found)
            self.heard += found if isinstance(found, list) else [found]

    def says(self, text: str | None = None, data: bytes | None = None, **frame: Any) -> None:
        text = json.dumps(frame) if frame else text
        self.inbox.put_nowait({"type": "websocket.receive", "text": text, "bytes": data})

    def say(self, id: str, body: str = "hi") -> None:
        self.says(type="message", id=id, body=body)

    def all(self, type: str) -> list[Frame]:
        return [frame for frame in self.heard if frame["type"] == type]

    async def hears(self, type: str, times: int = 1) -> Frame:
        await until(lambda: len(self.all(type)) >= times)
        return self.all(type)[times - 1]

    def leave(self) -> None:
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def left(self) -> None:
        self.leave()
        await asyncio.wait_for(self.task, 30)


def guest(name: str) -> Frame:
    """The guest of that name as everybody is shown one."""
    return {"key": people.public_key_of(f"guest:{name}"), "name": name, "guest": True}


@pytest.fixture(autouse=True)
def one_connection(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django gives each coroutine a connection of its own; here all share that of the test's transaction."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(connections, "_connections", SimpleNamespace(default=connections["default"]))


@pytest.fixture(autouse=True)
async def process(one_connection: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Layer]:
    """One process of its own, whose database work is done in this thread, inside the test's transaction."""

    async def run(executor: ThreadPoolExecutor, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return work(*args, **kwargs)

    layer = Layer()
    monkeypatch.setattr(database, "run", run)
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    yield layer
    for socket in list(drain.sockets):
        socket.close_with(RESTART)
    await until(lambda: not drain.sockets)
    assert hubs.here(TOPICS).feeds == {}
    await registry.here().close()


# --- Arriving ----------------------------------------------------------------------------------------


async def test_the_first_frame_is_the_welcome(settings: Any) -> None:
    alice = Client(query="x=1")
    alice.say("a")  # before she has been welcomed
    await alice.hears("ack")
    welcome = alice.heard[0]
    assert welcome["type"] == "welcome"
    assert Room.objects.get().name == "lobby"  # which her message has made, after the welcome
    assert welcome == {
        "type": "welcome",
        "room": "lobby",
        "you": guest("alice"),
        "key": people.Person("guest:alice", "alice", True).public_key,
        "epoch": LOBBY.position().epoch,
        "seq": 0,
        "recovered": False,
        "messages": [],
        "members": [guest("alice")],
        "member_count": 1,
        "ping_seconds": 20,
        "limits": {"body": 4000, "per_second": settings.MESSAGE_RATE, "burst": settings.MESSAGE_BURST},
    }


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((), None),
        (("rooms.v1",), "rooms.v1"),
        (("rooms.v1.batch",), "rooms.v1.batch"),
        (("rooms.v1", "rooms.v1.batch"), "rooms.v1.batch"),
        (("chat", "rooms.v9"), None),
    ],
)
async def test_a_subprotocol_is_chosen_of_those_that_are_offered(offered: tuple[str, ...], chosen: str | None) -> None:
    alice = Client(subprotocols=offered)
    await alice.hears("welcome")
    assert alice.accepted == {"type": "websocket.accept", "subprotocol": chosen}


async def test_who_is_logged_in_comes_by_that_name() -> None:
    browser = Browser()
    user = get_user_model().objects.create_user("alice")
    browser.force_login(user)
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    key = people.public_key_of(people.key_of(user.pk))
    assert (await alice.hears("welcome"))["you"] == {"key": key, "name": "alice", "guest": False}


async def test_where_guests_are_not_let_in_a_guest_is_told_to_log_in_and_makes_no_room(settings: Any) -> None:
    settings.ALLOW_GUESTS = False
    carol = Client("carol")
    assert await carol.hears("goodbye") == {"type": "goodbye", "reason": "login_required", "after_ms": 0}
    await asyncio.wait_for(carol.task, 30)
    assert carol.closed == 4401
    assert [frame["type"] for frame in carol.heard] == ["goodbye"]
    assert not Room.objects.exists()


async def test_while_the_database_is_away_who_arrives_is_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(wanted: Any) -> None:
        raise OperationalError("nobody listens there")

    monkeypatch.setattr(arrivals, "_together", away)
    alice = Client()
    goodbye = await alice.hears("goodbye")
    assert goodbye["reason"] == "unavailable"
    assert goodbye["after_ms"] > 0
    await asyncio.wait_for(alice.task, 30)
    assert alice.closed is not None
    assert not 4400 <= alice.closed < 4500


@pytest.mark.parametrize("moment", ["while the database answers", "before the welcome is sent"])
async def test_who_goes_while_arriving_leaves_nothing_behind(moment: str) -> None:
    alice = Client()
    if "database" in moment:
        alice.leave()
    alice.gone = "welcome" in moment
    await settled()
    await alice.left()
    assert drain.sockets == set()
    assert hubs.here(TOPICS).feeds == {}


async def test_a_socket_cancelled_while_arriving_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: Any, **kwargs: Any) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(database, "run", never)
    alice = Client()
    await until(lambda: drain.sockets)
    alice.task.cancel()
    await asyncio.wait([alice.task])
    assert drain.sockets == set()


async def test_who_is_drained_while_arriving_is_not_welcomed_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    run, may_go = database.run, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await may_go.wait()
        return await run(*args, **kwargs)

    monkeypatch.setattr(database, "run", slow)
    alice = Client()
    await until(lambda: drain.sockets)
    for socket in list(drain.sockets):
        socket.close_with(RESTART)
    may_go.set()
    await asyncio.wait_for(alice.task, 30)
    assert [frame["type"] for frame in alice.heard] == ["goodbye"]
    assert alice.closed == RESTART.code


async def test_whatever_is_no_route_is_told_so() -> None:
    sent: list[Frame] = []
    inbox: asyncio.Queue[Frame] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})

    async def send(event: Frame) -> None:
        sent.append(event)
        if event["type"] == "websocket.close":
            inbox.put_nowait({"type": "websocket.disconnect"})

    await NoRoute.as_asgi()({"type": "websocket", "subprotocols": ["rooms.v1"]}, inbox.get, send)
    assert [event["type"] for event in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert json.loads(sent[1]["text"])["reason"] == "no_such_room"
    assert sent[2]["code"] == 4404


# --- A room that nobody has made ---------------------------------------------------------------------


async def test_listening_makes_no_room_and_the_first_message_is_heard_by_who_was_there_before() -> None:
    alice, bob = Client("alice"), Client("bob")
    welcomes = [await client.hears("welcome") for client in (alice, bob)]
    assert not Room.objects.exists()
    assert [welcome["seq"] for welcome in welcomes] == [0, 0]
    alice.say("a")
    assert (await bob.hears("message"))["seq"] == 1
    assert Room.objects.get().name == "lobby"
    epoch = LOBBY.position().epoch
    assert {welcome["epoch"] for welcome in welcomes} == {epoch}
    late = Client("carol", query=f"since=0&epoch={epoch}")
    assert (await late.hears("welcome"))["recovered"] is True


async def test_where_a_person_has_made_enough_rooms_the_next_one_is_refused_in_words(settings: Any) -> None:
    settings.ROOMS_PER_PERSON = 2
    for number in range(3):
        alice = Client("alice", room=f"room-{number}")
        alice.say("a")
        await alice.hears("ack" if number < 2 else "error")
    error = alice.all("error")[0]
    assert (error["code"], error["id"]) == ("too_many_rooms", "a")
    assert error["detail"].endswith("come back later.")
    bob = Client("bob", room="room-2")
    bob.say("a")
    await bob.hears("ack")
    assert Room.objects.count() == 3


async def test_each_is_refused_in_the_language_of_her_browser(settings: Any) -> None:
    """Whoever refuses: the writer's thread, which works for all, or her own socket."""
    settings.ROOMS_PER_PERSON, settings.MESSAGE_RATE, settings.MESSAGE_BURST = 1, 0.001, 2
    for language, enough, fast in [("en-GB", "You have opened", "That was too"), ("zh-CN", "你在一小时内", "发得太快")]:
        Client(f"alice-{language}", room=f"{language}-0").say("a")
        await until(lambda room=f"{language}-0": Room.objects.filter(name=room).exists())
        alice = Client(f"alice-{language}", room=f"{language}-1", language=language)
        alice.say("b")
        await alice.hears("error")
        alice.say("c")
        await alice.hears("error", 2)
        for error, said in zip(alice.all("error"), (enough, fast), strict=True):
            assert error["detail"].startswith(said)


# --- Saying ------------------------------------------------------------------------------------------


async def test_alice_says_bob_hears_and_carol_in_another_room_hears_nothing() -> None:
    alice, bob, carol = Client("alice"), Client("bob"), Client("carol", room="other")
    for client in (alice, bob, carol):
        await client.hears("welcome")
    alice.say("a", "你好")
    heard = await bob.hears("message")
    ack = await alice.hears("ack")
    assert ack == {"type": "ack", "id": "a", "seq": 1, "at": heard["at"]}
    assert heard == await alice.hears("message")
    assert (heard["id"], heard["body"], heard["user"]) == ("a", "你好", guest("alice"))
    assert carol.all("message") == []


async def test_an_ack_comes_only_when_the_message_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = Client()
    await alice.hears("welcome")
    run, may_go = database.run, asyncio.Event()

    async def slow(executor: ThreadPoolExecutor, *args: Any, **kwargs: Any) -> Any:
        if executor is database.writer:
            await may_go.wait()
        return await run(executor, *args, **kwargs)

    monkeypatch.setattr(database, "run", slow)
    alice.say("a")
    alice.says(type="ping")
    await alice.hears("pong")
    assert alice.all("ack") == alice.all("message") == []
    assert not Entry.objects.exists()
    may_go.set()
    assert (await alice.hears("ack"))["seq"] == Entry.objects.get().seq


async def test_the_same_message_again_has_the_same_number_over_any_socket_of_its_sender() -> None:
    alice, tab = Client("alice"), Client("alice")
    await tab.hears("welcome")
    alice.say("a")
    await alice.hears("ack")
    alice.say("a")
    tab.say("a")
    assert (await alice.hears("ack", 2))["seq"] == (await tab.hears("ack"))["seq"] == 1
    tab.say("b")
    await tab.hears("ack", 2)
    await tab.hears("message", 2)
    assert [frame["seq"] for frame in tab.all("message")] == [1, 2]


async def test_who_uses_anothers_id_blocks_nobody_and_is_acknowledged_for_nothing() -> None:
    alice, bob = Client("alice"), Client("bob")
    bob.say("a", "bob guessed her id")
    await bob.hears("ack")
    alice.say("a", "hers")
    assert (await alice.hears("ack"))["seq"] == 2
    bob.say("a", "hers")
    assert (await bob.hears("error"))["code"] == "bad_frame"  # about what he said himself
    assert [(entry.author, entry.data) for entry in Entry.objects.order_by("seq")] == [
        ("guest:bob", '{"body":"bob guessed her id"}'),
        ("guest:alice", '{"body":"hers"}'),
    ]


async def test_a_program_without_a_cookie_sends_again_over_its_next_socket_and_is_stored_once() -> None:
    first, second = Client(cookie="theme=dark"), Client(cookie="theme=dark")
    first.say("a")
    await first.hears("ack")
    second.say("a")
    assert (await second.hears("ack"))["seq"] == 1


async def test_another_text_under_a_used_id_is_a_bad_frame() -> None:
    alice = Client()
    alice.say("a", "hi")
    alice.say("a", "ho")
    error = await alice.hears("error")
    assert (error["code"], error["id"]) == ("bad_frame", "a")
    assert len(alice.all("ack")) == 1


async def test_what_cannot_be_stored_is_said_to_be_unavailable_and_when_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "append_sent", lambda entries, **kwargs: [Unavailable()] * len(entries))
    alice = Client()
    alice.say("a")
    error = await alice.hears("error")
    assert (error["code"], error["id"]) == ("unavailable", "a")
    assert error["retry_after_ms"] > 0


async def test_a_room_that_was_removed_is_forbidden() -> None:
    alice = Client()
    alice.say("a")
    await alice.hears("message")
    Room.objects.all().delete()
    alice.say("b")
    error = await alice.hears("error")
    assert (error["code"], error["id"]) == ("forbidden", "b")
    assert not Room.objects.exists()


# --- Frames that are refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hi", "bad_json"),
        ("[]", "bad_frame"),
        ('{"type":"dance"}', "unknown_type"),
        (json.dumps({"type": "message", "body": "x" * 4001}), "too_long"),
        (json.dumps({"type": "message", "body": "\x00"}), "bad_frame"),
        (json.dumps({"type": "message", "body": "\ud800"}), "bad_frame"),
    ],
)
async def test_a_bad_frame_gets_an_error_and_the_socket_lives(text: str, code: str) -> None:
    alice = Client()
    alice.says(text)
    assert (await alice.hears("error"))["code"] == code
    alice.say("a")
    await alice.hears("ack")


async def test_binary_is_a_bad_frame() -> None:
    alice = Client()
    alice.says(data=b"hi")
    assert (await alice.hears("error"))["code"] == "bad_frame"
    assert alice.closed is None


async def test_ten_bad_frames_in_a_row_close_the_socket_for_good() -> None:
    alice = Client()
    for _ in range(BAD_FRAMES_IN_A_ROW - 1):
        alice.says("hi")
    alice.says(type="ping")
    for _ in range(BAD_FRAMES_IN_A_ROW + 3):
        alice.says("hi")
    goodbye = await alice.hears("goodbye")
    await asyncio.wait_for(alice.task, 30)
    assert goodbye["reason"] == "bad_frames"
    assert alice.closed == 4400
    assert len(alice.all("error")) == 2 * BAD_FRAMES_IN_A_ROW - 1
    assert alice.heard[-1] == goodbye


async def test_a_frame_that_is_refused_as_too_fast_forgives_nothing(settings: Any) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.001, 1
    alice = Client()
    for _ in range(BAD_FRAMES_IN_A_ROW):
        alice.says("hi")
        alice.says(type="ping")
    assert (await alice.hears("goodbye"))["reason"] == "bad_frames"


async def test_a_bad_frame_costs_what_a_good_one_does(settings: Any) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.001, 2
    alice = Client()
    alice.says("hi")
    alice.says("hi")
    alice.say("c")
    await alice.hears("error", 3)
    assert [error["code"] for error in alice.all("error")] == ["bad_json", "bad_json", "rate_limited"]


async def test_nothing_is_heard_after_our_goodbye() -> None:
    alice = Client()
    await alice.hears("welcome")
    alice.reading.clear()
    for _ in range(BAD_FRAMES_IN_A_ROW):
        alice.says("hi")
    alice.say("a")
    await settled()
    alice.reading.set()
    await asyncio.wait_for(alice.task, 30)
    assert not Entry.objects.exists()


async def test_who_is_told_goodbye_while_she_waits_for_room_says_no_more(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 1_000, 1_000
    alice = Client()
    await alice.hears("welcome")
    run, may_go = database.run, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await may_go.wait()
        return await run(*args, **kwargs)

    monkeypatch.setattr(database, "run", slow)
    for number in range(MOST_IN_FLIGHT + 20):
        alice.say(f"{number}")
    await until(lambda: alice.inbox.qsize() == 19)
    next(iter(drain.sockets)).close_with(LOGIN)
    may_go.set()
    await asyncio.wait_for(alice.task, 30)
    await registry.here().finish()
    assert Entry.objects.count() == MOST_IN_FLIGHT
    assert alice.closed == 4401


# --- Who may stay --------------------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECK_SECONDS", 0.02)


async def test_who_has_logged_out_is_closed_and_a_guest_stays(soon: None) -> None:
    browser = Browser()
    browser.force_login(get_user_model().objects.create_user("alice"))
    alice, bob = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}"), Client("bob")
    await alice.hears("welcome")
    await bob.hears("welcome")
    browser.logout()
    assert (await alice.hears("goodbye"))["reason"] == "login_required"
    await asyncio.wait_for(alice.task, 30)
    assert alice.closed == 4401
    bob.say("a")
    await bob.hears("ack")


async def test_who_comes_back_to_a_room_that_is_gone_does_not_find_it_in_memory(soon: None) -> None:
    alice = Client()
    welcome = await alice.hears("welcome")
    alice.say("a")
    await alice.hears("ack")
    room = Room.objects.get()
    room.name = "parlour"
    room.save()
    bob = Client("bob", room="parlour")
    await bob.hears("welcome")
    assert (await alice.hears("goodbye"))["reason"] == "no_such_room"
    await asyncio.wait_for(alice.task, 30)
    assert alice.closed == 4404
    back = Client(query=f"since=1&epoch={welcome['epoch']}")
    assert (await back.hears("welcome"))["epoch"] != welcome["epoch"]
    assert [frame["reason"] for frame in bob.all("goodbye")] == []


async def test_long_replays_have_a_price_for_a_person_and_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "REPLAYS_AT_ONCE", 3)
    monkeypatch.setattr(rates, "REPLAYS_A_SECOND", 0.001)
    alice = Client()
    for number in range(60):
        alice.say(f"{number}")
    await alice.hears("ack", 60)
    epoch = alice.heard[0]["epoch"]
    mallory = [Client("mallory", query=f"since=0&epoch={epoch}") for _ in range(5)]
    for tab in mallory[:3]:
        await tab.hears("message", 10)
    for tab in mallory[3:]:
        assert (await tab.hears("goodbye"))["reason"] == "too_many_replays"
        await asyncio.wait_for(tab.task, 30)
        assert tab.closed == 4529
    assert (await Client("mallory", query=f"since=59&epoch={epoch}").hears("welcome"))["recovered"], (
        "a short one is free"
    )
    await Client("bob", query=f"since=0&epoch={epoch}").hears("message", 10)


# --- Limits ------------------------------------------------------------------------------------------


async def test_who_is_too_fast_is_told_when_to_go_on(settings: Any) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 1, 2
    alice = Client()
    for id in "abc":
        alice.say(id)
    error = await alice.hears("error")
    assert (error["code"], error["id"]) == ("rate_limited", "c")
    assert 0 < error["retry_after_ms"] <= 1001
    await asyncio.sleep(error["retry_after_ms"] / 1000)
    alice.say("c")
    await alice.hears("ack", 3)
    assert alice.all("error") == [error]


async def test_more_sockets_are_not_more_to_say_for_one_person_and_nothing_less_for_another(settings: Any) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.001, 5
    tabs = [Client("alice", room=f"room-{number % 3}") for number in range(10)]
    for tab in tabs:
        await tab.hears("welcome")
        tab.say("a")
    for tab in tabs[5:]:
        assert (await tab.hears("error"))["code"] == "rate_limited"
    await until(lambda: sum(len(tab.all("ack")) for tab in tabs) == 5)
    await tabs[0].left()
    again = Client("alice", room="room-0")  # which is no new allowance
    again.say("b")
    assert (await again.hears("error"))["code"] == "rate_limited"
    bob = Client("bob", room="room-0")
    bob.say("a")
    await bob.hears("ack")


async def test_a_new_guest_for_each_socket_is_bounded_by_the_address(settings: Any) -> None:
    settings.MESSAGE_RATE_PER_ADDRESS = 2  # and twice as many at once
    guests = [Client(cookie="theme=dark", address="192.0.2.1") for _ in range(6)]
    for guest in guests:
        await guest.hears("welcome")
    for guest in guests:  # in one moment: another one may speak half a second later
        guest.say(secrets.token_hex(8))
    for guest in guests[4:]:
        assert (await guest.hears("error"))["code"] == "rate_limited"
    elsewhere = Client("bob", address="192.0.2.2")
    elsewhere.say("a")
    await elsewhere.hears("ack")


async def test_whose_messages_wait_for_the_database_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(writing, "MOST_WAITING", 100)
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 1_000, 1_000
    tabs, bob = [Client("mallory") for _ in range(10)], Client("bob")
    for client in (*tabs, bob):
        await client.hears("welcome")
    run, may_go = database.run, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await may_go.wait()
        return await run(*args, **kwargs)

    monkeypatch.setattr(database, "run", slow)
    for number, tab in enumerate(tabs):
        for message in range(20):
            tab.say(f"{number}-{message}")
    await until(lambda: all(not tab.inbox.qsize() for tab in tabs))
    bob.say("his")
    await until(lambda: sum(len(tab.all("error")) for tab in tabs) == 150)
    assert {frame["code"] for tab in tabs for frame in tab.all("error")} == {"rate_limited"}
    may_go.set()
    await bob.hears("ack")
    assert not bob.all("error")


async def test_only_so_many_messages_of_one_socket_are_on_their_way(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 1_000, 1_000
    alice = Client()
    await alice.hears("welcome")
    run, may_go = database.run, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await may_go.wait()
        return await run(*args, **kwargs)

    monkeypatch.setattr(database, "run", slow)
    for number in range(MOST_IN_FLIGHT + 20):
        alice.say(f"{number}")
    await settled()
    await until(lambda: alice.inbox.qsize() == 19)
    await settled()
    assert alice.inbox.qsize() == 19  # not even read
    may_go.set()
    await alice.hears("ack", MOST_IN_FLIGHT + 20)
    await alice.hears("message", MOST_IN_FLIGHT + 20)
    assert [frame["seq"] for frame in alice.all("message")] == list(range(1, MOST_IN_FLIGHT + 21))


async def test_who_goes_with_messages_on_their_way_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 1_000, 1_000
    alice, bob = Client("alice"), Client("bob")
    await alice.hears("welcome")
    await bob.hears("welcome")
    run, may_go = database.run, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await may_go.wait()
        return await run(*args, **kwargs)

    monkeypatch.setattr(database, "run", slow)
    for number in range(MOST_IN_FLIGHT + 1):
        alice.say(f"{number}")
    await until(lambda: alice.inbox.empty())
    alice.task.cancel()
    await asyncio.wait([alice.task])
    may_go.set()
    await bob.hears("message", MOST_IN_FLIGHT)
    assert "could not be told" not in caplog.text


async def test_who_reads_nothing_gets_every_message_once_when_reading_again() -> None:
    making.make("lobby", None)
    alice, bob = Client("alice"), Client("bob")
    await bob.hears("welcome")
    await alice.hears("welcome")
    bob.reading.clear()
    body = "x" * 4_000
    count = 0
    feed = hubs.here(TOPICS).feeds["topic:room/lobby"]
    while len(feed.live) == 2:  # until bob's outbox is full
        assert count < 2 * OUTBOX_BYTES / 4_000
        count += 1
        sent = sending.Sent(LOBBY, f"{count}", people.guest_of(None), json.dumps({"body": body}))
        Services.here().writer.append(sent, lambda outcome: None)
        await settled()
    assert len(alice.all("message")) == count
    bob.reading.set()
    await bob.hears("message", count)
    assert [frame["seq"] for frame in bob.all("message")] == list(range(1, count + 1))
    await until(lambda: len(feed.live) == 2)


# --- Typing, pinging ---------------------------------------------------------------------------------


async def test_typing_is_shown_to_the_others_once_a_second_and_not_to_its_author() -> None:
    alice, second_tab, bob = Client("alice"), Client("alice"), Client("bob")
    for client in (alice, second_tab, bob):
        await client.hears("welcome")
    for _ in range(5):
        alice.says(type="typing")
    alice.say("a")
    await bob.hears("message")
    assert bob.all("typing") == [{"type": "typing", "user": guest("alice")}]
    assert alice.all("typing") == second_tab.all("typing") == []


async def test_a_ping_is_answered() -> None:
    alice = Client()
    alice.says(type="ping")
    assert await alice.hears("pong") == {"type": "pong"}


async def test_a_batching_client_gets_arrays_of_the_same_frames() -> None:
    alice = Client(subprotocols=("rooms.v1.batch",))
    alice.say("a")
    await alice.hears("message")
    await alice.hears("ack")
    assert alice.heard[0]["type"] == "welcome"


# --- Coming back ---------------------------------------------------------------------------------------


async def test_who_comes_back_gets_what_was_missed_and_then_what_follows() -> None:
    alice, bob = Client("alice"), Client("bob")
    epoch = (await bob.hears("welcome"))["epoch"]
    for number in range(1, 4):
        alice.say(f"{number}")
    await bob.hears("message", 3)
    await bob.left()
    for number in range(4, 100):
        alice.say(f"{number}")
    await alice.hears("ack", 99)
    bob = Client("bob", query=f"since=3&epoch={epoch}")
    welcome = await bob.hears("welcome")
    assert welcome["recovered"]
    alice.say("100")
    missed = len(welcome["messages"])
    await bob.hears("message", 97 - missed)
    heard = [frame["seq"] for frame in [*welcome["messages"], *bob.all("message")]]
    assert heard == list(range(4, 101))
    assert bob.heard[0] == welcome


@pytest.mark.usefixtures("unchecked")
async def test_a_guest_who_comes_back_to_a_room_that_others_are_in_costs_no_query_and_no_task(process: Layer) -> None:
    alice, bob = Client("alice"), Client("bob")
    epoch = (await bob.hears("welcome"))["epoch"]
    for number in range(1, 4):
        alice.say(f"{number}")
    await bob.hears("message", 3)
    await bob.left()
    feed = hubs.here(TOPICS).feeds["topic:room/lobby"]
    await until(lambda: len(process.added) == 2)  # the room's group, in which it has only just begun to listen
    await until(lambda: feed._repair and feed._repair.done())
    tasks = asyncio.all_tasks()
    with CaptureQueriesContext(connections["default"]) as queries:
        bob = Client("bob", query=f"since=1&epoch={epoch}")
        welcome = await bob.hears("welcome")
        assert asyncio.all_tasks() - tasks == {bob.task}
    assert queries.captured_queries == []
    assert [message["seq"] for message in welcome["messages"]] == [2, 3]
    alice.say("4")
    assert (await bob.hears("message"))["seq"] == 4


@pytest.mark.parametrize(
    "query", ["since=1", "since=x&epoch={}", "since=-1&epoch={}", "since=1&since=2&epoch={}", "since=1&epoch=x"]
)
async def test_who_does_not_say_properly_what_was_heard_starts_afresh(query: str) -> None:
    alice = Client("alice")
    epoch = (await alice.hears("welcome"))["epoch"]
    alice.say("a")
    alice.say("b")
    await alice.hears("ack", 2)
    welcome = await Client("bob", query=query.format(epoch)).hears("welcome")
    assert not welcome["recovered"]
    assert [message["seq"] for message in welcome["messages"]] == [1, 2]


# --- Beside ws/ ----------------------------------------------------------------------------------------


class Follower(Client):
    """A tab of ws/, which follows the same room among other topics."""

    consumer = TopicsConsumer

    def tells(self, **frame: Any) -> None:
        self.says(json.dumps(frame))

    async def joins(self) -> Frame:
        self.tells(type="join", topic=LOBBY.name)
        return await self.hears("joined")


async def test_people_in_a_room_hear_and_see_each_other_whichever_protocol_they_speak() -> None:
    alice, bob = Client("alice"), Follower("bob")
    welcome = await alice.hears("welcome")
    joined = await bob.joins()
    assert [member["name"] for member in joined["members"]] == ["alice", "bob"]
    assert [sorted(member) for member in joined["members"]] == 2 * [["guest", "key", "name"]]
    assert (await alice.hears("presence"))["joined"] == [guest("bob")]

    bob.tells(type="send", topic=LOBBY.name, id="b", data={"body": "from ws/"})
    heard = await alice.hears("message")
    assert heard == {
        "type": "message",
        "seq": 1,
        "id": "b",
        "user": guest("bob"),
        "body": "from ws/",
        "at": heard["at"],
    }
    alice.say("a", "from the room")
    event = await bob.hears("event", 2)
    assert (event["seq"], event["data"], event["by"]["name"]) == (2, {"body": "from the room"}, "alice")
    assert LOBBY.position().epoch == welcome["epoch"]

    alice.says(type="typing")
    assert (await bob.hears("signal"))["data"] == {"typing": True}
    bob.tells(type="signal", topic=LOBBY.name, data={"x": 1})
    bob.tells(type="signal", topic=LOBBY.name, data={"typing": True})
    assert (await alice.hears("typing"))["user"] == guest("bob")
    assert len(alice.all("typing")) == 1

    again = Client("carol", query=f"since=0&epoch={welcome['epoch']}")
    assert (await again.hears("welcome"))["messages"] == alice.all("message")


async def test_what_is_no_message_is_refused_on_ws_too() -> None:
    bob = Follower("bob")
    await bob.joins()
    bob.tells(type="send", topic=LOBBY.name, id="b", data="no object")
    error = await bob.hears("error")
    assert (error["code"], error["id"]) == ("refused", "b")
    assert not Room.objects.exists()


async def test_a_room_that_is_deleted_is_left_by_who_is_on_ws_and_closed_for_who_is_in_it(soon: None) -> None:
    alice, bob = Client("alice"), Follower("bob")
    alice.say("a")
    await alice.hears("message")
    await bob.joins()
    Room.objects.all().delete()
    assert await bob.hears("left") == {"type": "left", "topic": LOBBY.name, "reason": "deleted"}
    assert (await alice.hears("goodbye"))["reason"] == "no_such_room"
    await asyncio.wait_for(alice.task, 30)
    assert alice.closed == 4404
    assert bob.closed is None
    bob.heard.clear()
    assert (await bob.joins())["seq"] == 0

"""What is new to alice in the chats that she reads: bob talks, carol reads nothing."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test.utils import CaptureQueriesContext

from topics import news, routes
from topics.delivery import looking
from topics.delivery.looking import Look
from topics.news import News

from .declared import Chat
from .test_consumer import Client
from .test_unread import ALICE, BOB

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process", "digests")]

OPEN = Chat(name_of_it="open")
OTHER = Chat(name_of_it="other")


class Digest(News):
    route = "digest/<slug:person>"
    about = Chat


HERS = Digest.of(ALICE)


@pytest.fixture
def digests(own_topics: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "classes", [*routes.classes, Digest])
    monkeypatch.setattr(news, "kinds", [Digest])
    monkeypatch.setattr(looking, "EVERY_SECONDS", 0.01)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def counted() -> dict[str, tuple[int, int, int]]:
    found = Digest.readings(ALICE)
    return {one.topic.name: (one.read, one.unread, one.addressed) for one in found}


def test_only_what_others_have_said_is_new_and_only_where_she_reads() -> None:
    for by in (BOB, ALICE, BOB, BOB):
        OPEN.append("said", by=by)
    OTHER.append("said", by=BOB)
    assert counted() == {}
    OPEN.read_up_to(ALICE, 1)
    OPEN.retract(3, by=BOB)
    OPEN.amend(1, "said better", by=BOB)
    assert counted() == {"chat/open": (1, 1, 0)}


def test_what_is_addressed_to_her_counts_apart_until_that_is_changed_or_removed() -> None:
    OPEN.append("begun", by=BOB)
    OPEN.read_up_to(ALICE, 1)
    to_her = {"to": [BOB.public_key, ALICE.public_key]}
    for data in (to_her, to_her, {"to": [BOB.public_key]}, ALICE.public_key, {"text": f'"to":["{ALICE.public_key}"]'}):
        OPEN.append(data, by=BOB)
    assert counted() == {"chat/open": (1, 5, 2)}
    OPEN.amend(2, "nobody", by=BOB)
    assert counted() == {"chat/open": (1, 5, 1)}
    OPEN.retract(3, by=BOB)
    assert counted() == {"chat/open": (1, 4, 0)}


def test_the_chat_that_was_said_something_in_last_comes_first() -> None:
    for chat in (OPEN, OTHER):
        chat.append("said", by=BOB)
        chat.read_up_to(ALICE, 1)
    assert [one.topic for one in Digest.readings(ALICE)] == [OTHER, OPEN]
    assert [one.topic for one in Digest.readings(ALICE, limit=1)] == [OTHER]


async def test_alice_is_told_what_is_said_where_she_reads() -> None:
    OPEN.append("begun", by=BOB)
    OPEN.read_up_to(ALICE, 1)
    alice = Client("alice")
    await alice.joins(HERS.name)
    OPEN.append({"to": [ALICE.public_key]}, by=BOB)
    while not (told := [one for frame in alice.all("signal") for one in frame["data"]["news"] if one["seq"] == 2]):
        await alice.hears("signal", len(alice.all("signal")) + 1)
    assert told[0]["topic"] == "chat/open"
    assert told[0]["said"][-1] == [2, BOB.public_key, ALICE.public_key]
    assert all(frame["by"] is None for frame in alice.all("signal"))


async def test_nobody_else_follows_her_news() -> None:
    carol = Client("bob")
    carol.says(type="join", topic=HERS.name)
    assert (await carol.hears("error"))["code"] == "no_such_topic"


async def test_what_she_reads_in_one_tab_is_told_to_all(committed: Any) -> None:
    OPEN.append("begun", by=BOB)
    OPEN.append("more", by=BOB)
    tabs = [Client("alice") for _ in range(2)]
    for tab in tabs:
        await tab.joins(HERS.name)
    with committed():
        tabs[0].says(type="send", topic=HERS.name, id="1", data={"read": "chat/open", "seq": 1})
        assert (await tabs[0].hears("ack"))["seq"] is None
    for tab in tabs:
        while not (read := [frame["data"]["read"] for frame in tab.all("signal") if "read" in frame["data"]]):
            await tab.hears("signal", len(tab.all("signal")) + 1)
        assert read == [{"topic": "chat/open", "seq": 2, "read": 1, "unread": 1, "addressed": 0}]
    assert HERS.position().seq == 0


@pytest.mark.parametrize(
    "data",
    [
        *(None, {}, {"read": "chat/open"}, {"read": "chat/open", "seq": True}, {"read": "chat/open", "seq": 2**63}),
        *({"read": "nothing", "seq": 1}, {"read": "votes/lunch", "seq": 1}, {"read": 1, "seq": 1}),
    ],
)
async def test_what_cannot_be_read_is_refused(data: Any) -> None:
    alice = Client("alice")
    await alice.joins(HERS.name)
    alice.says(type="send", topic=HERS.name, id="1", data=data)
    assert (await alice.hears("error"))["code"] in {"bad_frame", "no_such_topic"}


def test_a_look_asks_as_much_for_thirty_people_as_for_one() -> None:
    for chat in (OPEN, OTHER):
        chat.append("said", by=BOB)
        chat.read_up_to(ALICE, 0)
    look = Look(Digest)
    here = {ALICE.key: [object()]} | {f"guest:{number}": [object()] for number in range(30)}
    with CaptureQueriesContext(connections["default"]) as queries:
        first = look.look(here)
    assert len(queries) == 4
    assert set(first) == set(here), "the latest are for everybody"
    with CaptureQueriesContext(connections["default"]) as queries:
        assert look.look(here) == {}
    assert len(queries) == 2
    here[ALICE.key].append(object())
    assert set(look.look(here)) == {ALICE.key}, "another tab of hers may have been made before the last look"


def test_one_look_tells_so_much_and_the_next_one_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "TOLD", 2)
    chats = [Chat(name_of_it=f"c{number}") for number in range(5)]
    for chat in chats:
        chat.append("said", by=BOB)
        chat.read_up_to(ALICE, 0)
    look, here, told = Look(Digest), {ALICE.key: [object()]}, []
    for _ in range(3):
        chats[0].append("again", by=BOB)  # and takes nobody's turn
        told.append(look.look(here)[ALICE.key])
    assert [text.count('"topic"') for text in told] == [2, 2, 2]
    assert [chat.name for chat in chats if not any(chat.name in text for text in told)] == []
    look.look(here)
    assert look.look(here) == {}


def test_whose_news_it_is_stands_in_the_route() -> None:
    with pytest.raises(ImproperlyConfigured, match="one parameter"):
        type("Wrong", (News,), {"route": "wrong/<slug:a>/<slug:b>", "about": Chat})

"""Who is mentioned: bob by his account's name, alice by her key; carol is not."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rooms import conversation
from rooms.mentions import mentioned
from rooms.topics import Lobby, RoomTopic
from topics import Person, Refused
from topics.people import of_user

pytestmark = pytest.mark.django_db

TEAHOUSE = RoomTopic(room="teahouse")
ALICE = Person("guest:a", "alice", guest=True)
HERS = ALICE.public_key


@pytest.fixture
def bob() -> Person:
    User.objects.create_user("carol")
    return of_user(User.objects.create_user("bob.b"))


def unread_mentions(person: Person) -> int:
    return sum(one.addressed for one in Lobby.readings(person))


@pytest.mark.parametrize(
    "body",
    ["@bob.b", "hi @bob.b!", "(@bob.b)", "@bob.b.", "@nobody and @bob.b", "茶 @bob.b 茶", "@bob.b, @bob.b"],
)
def test_an_account_is_found_by_its_name(bob: Person, body: str) -> None:
    assert mentioned(body, []) == [bob.public_key]


@pytest.mark.parametrize(
    "body",
    ["bob.b", "x@bob.b", "@ bob.b", "@bob", "@bob.bb", "`@bob.b`", "```\n@bob.b\n```", "https://x.org/@bob.b", "@"],
)
def test_an_address_or_code_mentions_nobody(bob: Person, body: str) -> None:
    assert mentioned(body, []) == []


def test_no_query_is_made_where_nobody_can_be_mentioned(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert mentioned("hello", [HERS]) == []


def test_a_message_mentions_so_many(bob: Person) -> None:
    given = [f"{number:016x}" for number in range(10)]
    assert mentioned("@all @bob.b", given) == given


async def received(person: Person, data: Any) -> Any:
    return await TEAHOUSE.received(person, data)


@pytest.mark.django_db(transaction=True)
async def test_what_a_client_sends_has_the_keys_that_it_says() -> None:
    for more in ({}, {"reply": 1}):
        if more:
            await TEAHOUSE.aappend({"body": "first"}, by=ALICE)
        data = {"body": "@alice hi", "mentions": [HERS, HERS]} | more
        assert await received(ALICE, data) == {"body": "@alice hi", **more, "mentions": [HERS]}
    assert await received(ALICE, {"body": "hi", "mentions": [HERS]}) == {"body": "hi"}
    for wrong in ("x", [1], ["x"], [HERS] * 11, [HERS + "\n"]):
        with pytest.raises(Refused):
            await received(ALICE, {"body": "@alice", "mentions": wrong})
    with pytest.raises(Refused):
        await received(ALICE, {"body": "hi", "others": []})


def test_another_wording_or_a_removal_takes_the_mention_away() -> None:
    TEAHOUSE.append({"body": "begun"}, by=ALICE)
    TEAHOUSE.read_up_to(ALICE, 1)
    bob = Person("guest:b", "bob", guest=True)
    for _ in range(2):
        TEAHOUSE.append({"body": "@alice", "mentions": [HERS]}, by=bob)
    assert unread_mentions(ALICE) == 2
    TEAHOUSE.edit(2, "@alice, again", bob, {"mentions": [HERS]})
    assert unread_mentions(ALICE) == 2
    TEAHOUSE.edit(2, "nobody", bob)
    assert unread_mentions(ALICE) == 1
    TEAHOUSE.remove(3, bob)
    assert unread_mentions(ALICE) == 0
    assert unread_mentions(bob) == 0


def test_the_page_marks_it_for_whoever_is_mentioned(alice: Client, bob: Person) -> None:
    alice.get("/room/teahouse/")
    alice.post("/room/teahouse/", {"body": "hello @bob.b"})
    shown = conversation.said(TEAHOUSE, 1, 1)
    for reader, yes in ((bob, True), (ALICE, False)):
        [item] = conversation.items(shown, reader)
        assert ("for-you" in item) is yes

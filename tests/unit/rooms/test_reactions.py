"""Signs that people put on what bob has said: by the topic and by forms, and what becomes of them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rooms import frames, reactions
from rooms.reactions import EMOJI, NAMED
from rooms.topics import Lobby, RoomTopic
from topics import Person, Refused, former, retiring
from topics.data import encoded
from topics.delivery import frames as topic_frames
from topics.people import FORMER, guest_of, of_user, shown

pytestmark = pytest.mark.django_db

TEAHOUSE = RoomTopic(room="teahouse")
PATH = "/room/teahouse/"
BOB = Person("guest:bob", "bob", guest=True)
CAROL = Person("guest:carol", "carol", guest=True)
TEA, HEART = EMOJI[:2]


@pytest.fixture(autouse=True)
def said() -> int:
    return TEAHOUSE.append({"body": "Tea?", "reply": 1}, by=BOB).seq


def on_it() -> list[tuple[str, int, list[str]]]:
    [event] = TEAHOUSE.numbered([1])
    return [(one["emoji"], one["count"], [who["name"] for who in one["by"]]) for one in event.data.get("reactions", [])]


def react(person: Person, emoji: str = TEA, on: bool = True, seq: int = 1) -> None:
    TEAHOUSE.changed(person, {"about": seq, "react": emoji, "on": on})


def crowd(size: int) -> Iterator[Person]:
    return (Person(f"guest:{number}", f"guest {number}", guest=True) for number in range(size))


# --- The topic ---------------------------------------------------------------------------------------------


def test_whoever_reacts_is_named_and_may_take_it_back() -> None:
    react(CAROL)
    react(BOB)
    react(BOB, HEART)
    assert on_it() == [(TEA, 2, ["carol", "bob"]), (HEART, 1, ["bob"])]
    react(CAROL, on=False)
    react(BOB, HEART, on=False)
    assert on_it() == [(TEA, 1, ["bob"])]
    assert TEAHOUSE.numbered([1])[0].data.keys() == {"body", "reply", "reactions"}


def test_the_same_again_changes_nothing() -> None:
    react(CAROL)
    before = TEAHOUSE.position()
    react(CAROL)
    react(BOB, on=False)
    assert TEAHOUSE.position() == before


def test_other_words_keep_what_people_have_put_on_them() -> None:
    react(CAROL)
    TEAHOUSE.edit(1, "Coffee?", BOB)
    assert on_it() == [(TEA, 1, ["carol"])]
    assert TEAHOUSE.numbered([1])[0].data["body"] == "Coffee?"


def test_a_removed_message_loses_them_and_gets_no_others() -> None:
    react(CAROL)
    TEAHOUSE.remove(1, BOB)
    assert TEAHOUSE.numbered([1])[0].data is None
    for seq in (1, 2, 99):
        with pytest.raises(Refused, match="no such message"):
            react(CAROL, seq=seq)


@pytest.mark.parametrize(
    "data",
    [
        {"about": 1, "react": "🦄", "on": True},
        {"about": 1, "react": TEA, "on": 1},
        {"about": 1, "react": TEA},
        {"about": "1", "react": TEA, "on": True},
        {"about": 2**63, "react": TEA, "on": True},
        {"about": 1, "react": [TEA], "on": True},
        {"about": 1, "react": TEA, "on": True, "body": "also"},
    ],
)
def test_what_is_no_reaction_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        TEAHOUSE.changed(CAROL, data)
    assert refused.value.code == "bad_frame"
    assert on_it() == []


def test_a_thousand_people_are_counted_and_each_can_take_hers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    signs: reactions.Signs = ()
    people = list(crowd(1_000))
    for person in people:
        signs = reactions.changed(signs, person, TEA, True) or ()
    [part] = reactions.part(signs)["reactions"]
    assert (part["count"], len(part["by"])) == (1_000, NAMED)
    assert len(encoded(part)) < 5_000
    with pytest.raises(reactions.Full):
        reactions.changed(signs, CAROL, TEA, True)
    for person in people:
        assert reactions.changed(signs, person, TEA, True) is None, "she has done so already"
        signs = reactions.changed(signs, person, TEA, False) or ()
    assert reactions.part(signs) == {}


def test_signs_of_all_kinds_by_everybody_fit_beside_the_longest_text() -> None:
    signs: reactions.Signs = ()
    for emoji in EMOJI:
        for person in (Person(f"guest:{n}", "𝕳" * 32, guest=True) for n in range(1_000)):
            signs = reactions.changed(signs, person, emoji, True) or ()
    encoded(reactions.put({"body": "𝕳" * 4_000}, signs))


def test_who_reacts_is_not_taken_for_one_who_is_mentioned_and_nobody_has_more_to_read() -> None:
    alice = of_user(User.objects.create_user("alice"))
    TEAHOUSE.append({"body": "@carol", "mentions": [CAROL.public_key]}, by=BOB)
    TEAHOUSE.read_up_to(alice, 1)
    react(alice, seq=2)
    [reading] = Lobby.readings(alice)
    assert (reading.unread, reading.addressed) == (1, 0)
    TEAHOUSE.edit(2, "@carol!", BOB, {"mentions": [CAROL.public_key]})
    assert Lobby.readings(alice)[0].addressed == 0


def test_reacting_asks_the_database_no_more_than_other_words_do() -> None:
    asked = []
    for change in (lambda: TEAHOUSE.edit(1, "Coffee?", BOB), lambda: react(CAROL)):
        with CaptureQueriesContext(connection) as queries:
            change()
        asked.append(len(queries))
    assert asked[1] <= asked[0]


def test_who_has_left_is_not_named_any_more_on_whatever_she_put_a_sign() -> None:
    user = User.objects.create_user("alice")
    alice = of_user(user)
    TEAHOUSE.append({"body": "mine"}, by=alice)
    react(CAROL)
    react(alice)
    react(alice, seq=2)
    former.retire(user)
    changes = []
    while (step := retiring.step(user.pk)).more:
        changes += step.changes
    assert on_it() == [(TEA, 2, ["carol", FORMER])]
    assert TEAHOUSE.numbered([2])[0].data["reactions"][0]["by"][0]["name"] == FORMER
    assert 1 in [change.about for change in changes], "who is there is told"
    assert "alice" not in "".join(change.data for change in changes)


# --- rooms.v1 ----------------------------------------------------------------------------------------------


def test_a_message_says_what_is_on_it() -> None:
    react(CAROL)
    change = TEAHOUSE.events()[-1]
    frame = topic_frames.change("room/teahouse", 2, 1, shown(CAROL), change.text, change.at)
    told = frames.decode(frames.translated(frame))
    assert (told["type"], told["about"], told["body"]) == ("message", 1, "Tea?")
    assert told["reactions"] == [
        {"emoji": TEA, "count": 1, "by": [{"key": CAROL.public_key, "name": "carol"}]},
    ]


# --- Forms -------------------------------------------------------------------------------------------------


def buttons(page: str) -> list[tuple[str, str, str]]:
    """What each beneath a message says to a screen reader, whether it is pressed, and where it leads."""
    found = re.findall(r'<button class="sign" form="react" formaction="([^"]*)"[^>]*>', page.partition("<template")[0])
    whole = re.findall(r'<button class="sign" form="react"[^>]*aria-pressed="(\w+)" aria-label="([^"]*)"', page)
    return [(label, pressed, action) for (pressed, label), action in zip(whole, found, strict=True)]


def test_without_javascript_alice_reacts_by_a_link_and_a_button_and_takes_it_back(alice: Client) -> None:
    react(CAROL)
    page = alice.get(PATH).content.decode()
    assert '<a class="react" href="1/react/">' in page
    assert buttons(page) == [(f"{TEA} carol", "false", "1/react/")]
    choice = alice.get(f"{PATH}1/react/").content.decode()
    assert "Tea?" in choice
    assert all(f'value="{emoji}"' in choice for emoji in EMOJI)
    assert alice.post(f"{PATH}1/react/", {"emoji": TEA}).status_code == 303
    name = guest_of(alice.cookies["guest"].value).name
    assert buttons(alice.get(PATH).content.decode()) == [(f"{TEA} carol, {name}", "true", "1/react/")]
    alice.post(f"{PATH}1/react/", {"emoji": TEA})
    assert on_it() == [(TEA, 1, ["carol"])]


@pytest.mark.parametrize(("path", "emoji"), [("9/react/", TEA), ("1/react/", "🦄"), ("1/react/", "")])
def test_a_form_that_cannot_be_carried_out_says_why(alice: Client, path: str, emoji: str) -> None:
    answer = alice.post(PATH + path, {"emoji": emoji})
    assert answer.status_code == 404
    assert "This cannot be changed" in answer.content.decode()


def test_each_reader_sees_which_are_her_own_also_where_the_page_is_remembered(alice: Client, bob: Client) -> None:
    alice.get(PATH)
    alice.post(f"{PATH}1/react/", {"emoji": HEART})
    assert [pressed for _, pressed, _ in buttons(alice.get(PATH).content.decode())] == ["true"]
    assert [pressed for _, pressed, _ in buttons(bob.get(PATH).content.decode())] == ["false"]


def test_of_a_crowd_ten_are_named_and_the_rest_is_counted() -> None:
    for person in crowd(12):
        react(person)
    page = Client().get(PATH).content.decode()
    assert re.search(r'aria-label="👍 guest 0, guest 1, [^"]*, guest 9, 2 more"', page)

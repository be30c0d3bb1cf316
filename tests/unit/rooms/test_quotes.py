"""A message that answers another one: by forms, by the topic, and what is shown of the other by now."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from rooms import frames
from rooms.quotes import WORDS, Quote, quotes
from rooms.topics import RoomTopic
from topics import Person, Refused

pytestmark = pytest.mark.django_db

TEAHOUSE, PARLOUR = RoomTopic(room="teahouse"), RoomTopic(room="parlour")
PATH = "/room/teahouse/"
BOB = Person("guest:bob", "bob", guest=True)


@pytest.fixture
def question() -> int:
    return TEAHOUSE.append({"body": "Tea,\n  or <coffee>?"}, by=BOB).seq


def page_of(somebody: Client, query: str = "") -> str:
    return str(somebody.get(PATH + query).content.decode()).partition("<template")[0]


def quoted(page: str) -> list[tuple[str, str]]:
    """Where each quote leads, and what it says."""
    found = re.findall(r'<a class="quote[^>]*href="([^"]*)"[^>]*>(.*?)</a>', page)
    return [(href, unescape(re.sub("<[^>]*>", "", said))) for href, said in found]


def reply_in(page: str) -> list[str]:
    return re.findall(r'<input type="hidden" name="reply" value="(\d+)">', page)


# --- By links and forms ----------------------------------------------------------------------------------


def test_without_javascript_alice_answers_bob_by_a_link_and_a_form(alice: Client, question: int) -> None:
    [link] = re.findall(r'<a class="reply" href="([^"]*)"', page_of(alice))
    assert link == f"?reply={question}#say"
    form = page_of(alice, link.partition("#")[0])
    assert quoted(form) == [(f"?at={question}#m{question}", "In reply to bob Tea, or <coffee>?")]
    assert reply_in(form) == ["1"]
    assert alice.post(PATH, {"body": "Tea", "reply": "1"}).status_code == 303
    assert TEAHOUSE.events()[1].data == {"body": "Tea", "reply": 1}
    page = page_of(alice)
    assert quoted(page) == [("?at=1#m1", "In reply to bob Tea, or <coffee>?")]
    assert reply_in(page) == []


def test_a_quote_has_the_words_that_are_there_by_now(alice: Client, question: int) -> None:
    TEAHOUSE.append({"body": "Tea", "reply": question}, by=BOB)
    page_of(alice)
    TEAHOUSE.amend(question, {"body": "Water?"}, by=BOB)
    assert quoted(page_of(alice)) == [("?at=1#m1", "In reply to bob Water?")]
    TEAHOUSE.retract(question, by=BOB)
    assert quoted(page_of(alice)) == [("?at=1#m1", "In reply to  Message removed")]
    assert "Water" not in page_of(alice)


def test_an_answer_that_is_edited_stays_one_and_one_that_is_removed_quotes_nothing(
    alice: Client, question: int
) -> None:
    alice.post(PATH, {"body": "Tee", "reply": "1"})
    alice.post(f"{PATH}2/", {"body": "Tea"})
    assert TEAHOUSE.events()[1].data == {"body": "Tea", "edited": True, "reply": question}
    assert len(quoted(page_of(alice))) == 1
    alice.post(f"{PATH}2/", {"remove": "1"})
    assert quoted(page_of(alice)) == []


@pytest.mark.parametrize("query", ["?reply=7", "?reply=0", "?reply=-1", "?reply=x", "?reply=", f"?reply={2**70}"])
def test_what_is_not_there_cannot_be_answered(alice: Client, question: int, query: str) -> None:
    form = page_of(alice, query)
    assert quoted(form) == reply_in(form) == []


def test_what_was_removed_while_alice_wrote_is_answered_and_not_offered_to_be(alice: Client, question: int) -> None:
    TEAHOUSE.retract(question, by=BOB)
    assert reply_in(page_of(alice, "?reply=1")) == []
    assert alice.post(PATH, {"body": "Tea", "reply": "1"}).status_code == 303
    assert quoted(page_of(alice)) == [("?at=1#m1", "In reply to  Message removed")]


def test_a_form_that_answers_nothing_of_this_room_keeps_the_words_and_says_so(alice: Client, question: int) -> None:
    PARLOUR.append({"body": "elsewhere"}, by=BOB)
    PARLOUR.append({"body": "elsewhere"}, by=BOB)
    page = alice.post(PATH, {"body": "half a thought", "reply": "2"})
    assert page.status_code == 422
    text = page.content.decode()
    assert "is not in this room" in text
    assert "half a thought</textarea>" in text
    assert reply_in(text) == []


def test_an_answer_that_is_refused_for_another_reason_still_is_one(alice: Client, question: int) -> None:
    page = alice.post(PATH, {"body": "", "reply": "1"})
    assert page.status_code == 422
    assert reply_in(page.content.decode()) == ["1"]
    page = alice.post(PATH, {"body": "hi", "reply": "1", "sender": "somebody-else"})
    assert page.status_code == 409
    assert reply_in(page.content.decode()) == ["1"]


def test_however_many_answers_a_page_has_it_asks_for_what_they_quote_once(
    alice: Client, question: int, django_assert_num_queries: Any
) -> None:
    for seq in (question, question, 2):
        TEAHOUSE.append({"body": "Tea", "reply": seq}, by=BOB)
    with django_assert_num_queries(1):
        assert set(quotes(TEAHOUSE, [question, 2, question, None, 9])) == {question, 2, 9}
    with django_assert_num_queries(0):
        assert quotes(TEAHOUSE, [None]) == {}


def test_of_a_long_message_the_first_words_are_quoted() -> None:
    TEAHOUSE.append({"body": "🍵" * 4_000}, by=BOB)
    TEAHOUSE.append({"body": "by a program"})
    assert list(quotes(TEAHOUSE, [1, 2]).values()) == [
        Quote(1, "bob", "🍵" * WORDS, gone=False),
        Quote(2, "", "by a program", gone=False),
    ]


# --- The same by the topic, and in rooms.v1 --------------------------------------------------------------


@pytest.mark.parametrize("reply", [0, -1, 2, 7, 2**70, "1", True, None, 1.0, [1]])
def test_an_answer_to_nothing_is_refused_in_words(question: int, reply: Any) -> None:
    TEAHOUSE.amend(question, {"body": "Tea?"}, by=BOB)  # 2 is a change
    with pytest.raises(Refused) as refused:
        TEAHOUSE.said({"body": "hi", "reply": reply}, BOB)
    assert refused.value.code == "bad_frame"
    assert str(refused.value)


@pytest.mark.parametrize("data", [{"reply": 1}, {"reply": 1, "body": ""}, {"reply": 1, "body": "hi", "x": 1}])
def test_an_answer_without_words_or_with_more_is_none(question: int, data: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        TEAHOUSE.said(data, BOB)


def test_rooms_v1_takes_and_gives_the_number(question: int) -> None:
    said = frames.parse('{"type":"message","id":"1","body":"hi","reply":1}')
    assert isinstance(said, frames.Say)
    assert said.reply == 1
    by = '{"key":"0123456789abcdef","name":"bob","guest":true}'
    for data in ('{"body":"hi","reply":1}', '{"reply":1,"body":"hi"}'):
        frame = f'{{"type":"event","topic":"room/t","seq":2,"id":"a","by":{by},"data":{data},"at":"t"}}'
        assert frames.decode(frames.translated(frame))["reply"] == 1
    junk = f'{{"type":"event","topic":"room/t","seq":2,"id":"a","by":{by},"data":{{"body":"hi","reply":"x"}},"at":"t"}}'
    assert "reply" not in frames.decode(frames.translated(junk))

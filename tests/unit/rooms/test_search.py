"""People look for what was said, without JavaScript. On SQLite; tests/integration/test_search.py has Postgres."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from rooms import results
from rooms.topics import RoomTopic
from topics import Person, Refused, rates
from topics.models import Filled, Log, Words
from topics.searching import filling, finding
from topics.storing import logs

pytestmark = pytest.mark.django_db

TEAHOUSE, GARDEN = RoomTopic(room="teahouse"), RoomTopic(room="garden")
ALICE = Person("guest:alice", "alice", guest=True)


def bodies(page: Any) -> list[str]:
    return [
        re.sub("<[^>]*>", "", unescape(found))
        for found in re.findall(r'<p class="body"[^>]*>(.*?)</p>', page.content.decode(), re.DOTALL)
    ]


def marked(page: Any) -> list[str]:
    return [unescape(found) for found in re.findall("<mark>(.*?)</mark>", page.content.decode())]


def found(client: Client, text: str, room: str = "") -> list[str]:
    page = client.get(f"/room/{room}/search/" if room else "/search/", {"q": text})
    assert page.status_code == 200, page.content.decode()
    return bodies(page)


def test_alice_finds_what_was_said_in_a_room_and_in_all_the_newest_first(alice: Client) -> None:
    TEAHOUSE.append({"body": "Green tea?"}, by=ALICE)
    GARDEN.append({"body": "No tea in the garden"}, by=ALICE)
    TEAHOUSE.append({"body": "Coffee"}, by=ALICE)
    assert found(alice, "TEA", "teahouse") == ["Green tea?"]
    assert found(alice, "tea") == ["No tea in the garden", "Green tea?"]
    assert found(alice, "cof") == ["Coffee"]
    assert found(alice, "milk") == []
    assert found(alice, "tea", "nowhere") == []


def test_a_result_says_where_and_by_whom_and_leads_to_the_message(alice: Client) -> None:
    TEAHOUSE.append({"body": "hello"}, by=ALICE)
    TEAHOUSE.append({"body": "tea <b>&amp;</b> tea"}, by=ALICE)
    page = alice.get("/search/?q=tea").content.decode()
    assert 'href="/room/teahouse/?at=2#m2"' in page
    assert "<mark>tea</mark> &lt;b&gt;&amp;amp;&lt;/b&gt; <mark>tea</mark>" in page
    assert ">alice</b>" in page
    assert "tea &lt;b&gt;" not in alice.get("/search/", {"q": '"><script>tea'}).content.decode()
    assert "<script>" not in alice.get("/search/", {"q": '"><script>tea'}).content.decode()


@pytest.mark.parametrize("typed", ["o'clock", '"five"', "100%", "a_b", "c:\\temp", "% tea", "tea\t茶"])
def test_signs_are_no_wildcards(alice: Client, typed: str) -> None:
    TEAHOUSE.append({"body": f"said {typed} here"}, by=ALICE)
    TEAHOUSE.append({"body": "10 aXb oclock ctemp fi te"}, by=ALICE)
    assert found(alice, typed) == [f"said {typed} here"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type a word to search for."),
        ("   ", "Type a word to search for."),
        ("%", "There is no letter or digit in that"),
        ("。？！", "There is no letter or digit in that"),
        ("x" * 101, "That is 101 characters. A search has at most 100."),
        ("a\0", "Null characters"),
    ],
)
@pytest.mark.parametrize("where", ["/search/", "/room/teahouse/search/"])
def test_what_cannot_be_searched_is_told_by_a_sentence(alice: Client, where: str, typed: str, sentence: str) -> None:
    page = alice.get(where, {"q": typed})
    assert page.status_code == 422
    assert sentence in unescape(page.content.decode())


def test_who_only_comes_to_search_is_told_nothing_is_wrong(alice: Client) -> None:
    page = alice.get("/search/")
    assert page.status_code == 200
    assert "Type a word" not in page.content.decode()


def test_the_room_and_the_lobby_have_a_field_for_it(alice: Client) -> None:
    assert 'role="search" action="/search/"' in alice.get("/").content.decode()
    assert 'role="search" action="/room/teahouse/search/"' in alice.get("/room/teahouse/").content.decode()


def test_what_was_changed_is_found_by_its_new_words_alone(alice: Client) -> None:
    event = TEAHOUSE.append({"body": "secret tea"}, by=ALICE)
    assert found(alice, "secret", "teahouse") == ["secret tea"]
    TEAHOUSE.edit(event.seq, "public tea", ALICE)
    assert not Words.objects.filter(text__contains="secret").exists()
    assert found(alice, "secret", "teahouse") == []
    assert found(alice, "public", "teahouse") == ["public tea"]
    TEAHOUSE.remove(event.seq, ALICE)
    assert not Words.objects.exists()
    assert found(alice, "public", "teahouse") == found(alice, "tea") == []


def test_old_words_that_are_still_kept_find_nothing(alice: Client) -> None:
    """Who filled them in had read the event just before it was changed."""
    event = TEAHOUSE.append({"body": "secret"}, by=ALICE)
    assert found(alice, "secret") == ["secret"]
    kept = Words.objects.get()
    TEAHOUSE.edit(event.seq, "public", ALICE)
    kept.save(force_insert=True)
    assert found(alice, "secret") == []
    assert found(alice, "public") == ["public"]
    assert Words.objects.get().text == " public "


def test_what_is_gone_is_not_found_and_leaves_no_words(alice: Client) -> None:
    TEAHOUSE.append({"body": "tea"}, by=ALICE)
    assert found(alice, "tea") == ["tea"]
    TEAHOUSE.move(GARDEN)
    assert found(alice, "tea", "garden") == ["tea"]
    assert found(alice, "tea", "teahouse") == []
    GARDEN.delete()
    assert found(alice, "tea") == []
    assert not Words.objects.exists()
    assert not Filled.objects.exists()


def test_pages_have_everything_once(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "SHOWN", 2)
    said = [f"tea {number}" for number in range(7)]
    for number, body in enumerate(said):
        (GARDEN if number % 3 else TEAHOUSE).append({"body": body}, by=ALICE)
    address, read = "/search/?q=tea", []
    while address:
        page = alice.get(address)
        read += bodies(page)
        more = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        address = "/search/" + unescape(more[1]) if more else ""
    assert read == said[::-1]


def test_what_somebody_may_not_read_she_does_not_find(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "SHOWN", 2)
    for number in range(4):
        GARDEN.append({"body": f"secret tea {number}"}, by=ALICE)
        TEAHOUSE.append({"body": f"open tea {number}"}, by=ALICE)

    async def may(topic: RoomTopic, person: Person, act: str) -> bool:
        return topic.room == "teahouse"

    monkeypatch.setattr(RoomTopic, "may", may)
    assert found(alice, "tea") == ["open tea 3", "open tea 2"]
    assert found(alice, "secret") == []


def test_who_searches_again_and_again_is_asked_to_wait(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "SEARCHES_A_SECOND", 0.001)
    TEAHOUSE.append({"body": "tea"}, by=ALICE)
    alice.get("/")
    pages = [alice.get("/search/?q=tea") for _ in range(25)]
    assert pages[0].status_code == 200
    assert pages[-1].status_code == 429
    assert int(pages[-1]["Retry-After"]) >= 1
    assert "wait a moment" in pages[-1].content.decode()


def test_where_the_database_is_away_a_sentence_says_so(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(finding, "_keys", away)
    TEAHOUSE.append({"body": "tea"}, by=ALICE)
    page = alice.get("/search/?q=tea")
    assert page.status_code == 503
    assert "Nothing can be searched just now" in page.content.decode()


def test_where_words_cannot_be_filled_in_those_that_are_there_are_searched(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    TEAHOUSE.append({"body": "tea"}, by=ALICE)
    assert found(alice, "tea") == ["tea"]

    def away(*_: Any) -> None:
        raise OperationalError("read-only")

    monkeypatch.setattr(filling, "_fill", away)
    TEAHOUSE.append({"body": "more tea"}, by=ALICE)
    page = alice.get("/search/?q=tea")
    assert bodies(page) == ["tea"]
    assert "cannot be searched yet" in page.content.decode()


def test_a_long_log_is_filled_in_step_by_step_and_the_page_says_so(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CATCH_UP", 2)
    monkeypatch.setattr(filling, "AT_ONCE", 2)
    for number in range(3):
        TEAHOUSE.append({"body": f"tea {number}"}, by=ALICE)
    page = alice.get("/search/?q=tea")
    assert bodies(page) == ["tea 1", "tea 0"]
    assert "cannot be searched yet" in page.content.decode()
    page = alice.get("/search/?q=tea")
    assert bodies(page) == ["tea 2", "tea 1", "tea 0"]
    assert "cannot be searched yet" not in page.content.decode()


def test_what_is_behind_is_found_by_whoever_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    TEAHOUSE.append({"body": "tea"}, by=ALICE)
    assert [log.name for log in filling.behind([RoomTopic], lately=True)] == ["room/teahouse"]
    assert filling.fill(Log.objects.get(), 10) is False
    assert filling.behind([RoomTopic], lately=False) == []
    TEAHOUSE.append({"body": "more"}, by=ALICE)
    Log.objects.update(changed_at="2020-01-01T00:00:00Z")
    assert filling.behind([RoomTopic], lately=True) == []
    assert [log.name for log in filling.behind([RoomTopic], lately=False)] == ["room/teahouse"]


def test_a_topic_that_does_not_say_what_is_searched_cannot_be() -> None:
    class Silent(RoomTopic):
        searched = ()

    with pytest.raises(TypeError, match="searched"):
        Silent(room="x").search("tea")


def test_the_sentence_is_the_callers_to_show() -> None:
    with pytest.raises(Refused, match="Type a word") as refusal:
        TEAHOUSE.search(" ")
    assert refusal.value.code == "bad_search"
    logs.forget_all()

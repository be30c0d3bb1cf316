"""The past on a room's page, and what one does to one's own words there, by links and forms alone."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rooms import conversation
from rooms.conversation import Asked, part
from rooms.topics import RoomTopic
from topics import Busy, Person, Refused
from topics.models import Entry
from topics.people import guest_of

pytestmark = pytest.mark.django_db

TEAHOUSE = RoomTopic(room="teahouse")
PATH = "/room/teahouse/"
BOB = Person("guest:bob", "bob", guest=True)


def filled(count: int) -> None:
    for number in range(1, count + 1):
        TEAHOUSE.append({"body": f"n{number}"}, by=BOB)


def page_at(somebody: Client, query: str = "") -> str:
    answer = somebody.get(PATH + query)
    assert answer.status_code == 200
    return str(answer.content.decode()).partition("<template")[0]


def bodies(page: str) -> list[str]:
    return [unescape(body) for body in re.findall(r'<p class="body"[^>]*>(.*?)</p>', page, re.DOTALL)]


def link(page: str, id: str) -> str | None:
    """Where it leads, if it is shown."""
    [(href, hidden)] = re.findall(rf'<a id="{id}" href="([^"]*)"( hidden)?', page)
    return None if hidden else unescape(href)


def names(first: int, last: int) -> list[str]:
    return [f"n{number}" for number in range(first, last + 1)]


# --- Paging --------------------------------------------------------------------------------------------


def test_by_links_alice_reads_back_to_the_beginning_and_forward_again(alice: Client) -> None:
    filled(120)
    read: list[list[str]] = []
    query: str | None = ""
    while query is not None:
        page = page_at(alice, query)
        read.insert(0, bodies(page))
        query = link(page, "older")
    assert [body for bodies in read for body in bodies] == names(1, 120)
    back = page_at(alice, link(page, "newer") or "")
    assert bodies(back)[0] == f"n{len(read[0]) + 1}"
    assert link(page, "newest") == PATH
    assert link(page_at(alice), "newer") is None


def test_a_link_to_one_message_shows_what_is_around_it(alice: Client) -> None:
    filled(120)
    page = page_at(alice, "?at=60#m60")
    assert 'id="m60"' in page
    assert bodies(page) == names(35, 84)
    assert (link(page, "older"), link(page, "newer")) == ("?before=35", "?after=84")
    assert bodies(page_at(alice, "?at=119"))[-1] == "n120"
    assert bodies(page_at(alice, "?at=1")) == names(1, 50)


def test_the_socket_goes_on_from_the_logs_end_whatever_the_page_shows(alice: Client) -> None:
    filled(120)
    page = page_at(alice, "?before=60")
    assert [re.findall(rf'data-{name}="(\d+)"', page)[0] for name in ("seq", "first", "last")] == ["120", "10", "59"]


@pytest.mark.parametrize("query", ["?before=x", "?at=-1", "?after=", "?at=1.5", "?before=٣", "?at=" + "9" * 40, "?x=1"])
def test_nonsense_in_the_address_shows_the_latest(alice: Client, query: str) -> None:
    filled(60)
    assert bodies(page_at(alice, query)) == names(11, 60)


@pytest.mark.parametrize(
    "query", ["?before=0", "?before=1", "?before=999", "?after=999", "?at=0", "?at=999", "?after=60"]
)
@pytest.mark.parametrize("count", [0, 1, 60])
def test_numbers_beyond_either_end_are_no_trouble(alice: Client, query: str, count: int) -> None:
    filled(count)
    assert set(bodies(page_at(alice, query))) <= set(names(1, count))


@pytest.mark.parametrize("seq", [0, 1, 49, 50, 51, 200])
def test_a_part_is_within_the_log(seq: int) -> None:
    for asked in [Asked(), *(Asked(**{name: n}) for name in Asked._fields for n in (0, 1, 25, 50, 51, 199, 500))]:
        first, last, end, messages = part(TEAHOUSE, asked, seq)
        assert 1 <= first <= last + 1 <= end + 1
        assert messages == []


def test_each_day_is_said_once(alice: Client) -> None:
    filled(4)
    Entry.objects.filter(seq__lt=3).update(at="2026-01-02T03:04:05Z")
    days = re.findall(r'<p class="day"( hidden)?>', page_at(alice))
    assert days == ["", " hidden", "", " hidden"]
    assert "Friday, 2 January 2026" in page_at(alice)


def test_who_changes_much_does_not_fill_the_page(alice: Client) -> None:
    filled(30)
    for number in range(120):
        TEAHOUSE.amend(30, {"body": f"again {number}"}, by=BOB)
    page = page_at(alice)
    assert bodies(page)[-1] == "again 119"
    assert len(bodies(page)) == 30


def test_a_page_that_many_read_is_made_of_what_was_made_before(alice: Client, bob: Client) -> None:
    filled(50)
    page_at(alice)
    before = conversation.item.cache_info().misses
    page_at(bob)
    assert conversation.item.cache_info().misses == before


# --- Own words -------------------------------------------------------------------------------------------


def say(somebody: Client, body: str) -> int:
    assert somebody.post(PATH, {"body": body}).status_code == 303
    return TEAHOUSE.position().seq


def test_alice_gives_her_message_other_words_and_the_old_ones_are_gone(alice: Client, bob: Client) -> None:
    seq = say(alice, "my secret")
    form = alice.get(f"{PATH}{seq}/").content.decode()
    assert "my secret" in form
    answer = alice.post(f"{PATH}{seq}/", {"body": "nothing\r\nat all"})
    assert (answer.status_code, answer["Location"]) == (303, f"{PATH}?at={seq}#m{seq}")
    assert bodies(page_at(bob)) == ["nothing\nat all"]
    assert 'class="edited soft">edited' in page_at(bob)
    assert not Entry.objects.filter(data__contains="secret").exists()


def test_alice_removes_her_message_and_nothing_but_that_is_left_of_it(alice: Client, bob: Client) -> None:
    alice.post("/name/", {"name": "Alice"})
    seq = say(alice, "my secret")
    assert alice.post(f"{PATH}{seq}/", {"body": "my secret", "remove": "1"}).status_code == 303
    page = page_at(bob)
    assert bodies(page) == ["Message removed"]
    assert "Alice" not in page
    assert not Entry.objects.filter(data__contains="secret").exists()
    assert alice.get(f"{PATH}{seq}/").status_code == 404


def test_the_same_words_again_are_no_change(alice: Client) -> None:
    seq = say(alice, "hello")
    assert alice.post(f"{PATH}{seq}/", {"body": "hello"}).status_code == 303
    assert TEAHOUSE.position().seq == seq
    assert 'class="edited soft" hidden' in page_at(alice)


@pytest.mark.parametrize("form", [{"body": "mine now"}, {"remove": "1"}])
def test_what_bob_has_said_is_not_alices_to_change(alice: Client, bob: Client, form: dict[str, str]) -> None:
    bob.post("/name/", {"name": "Alice"})
    alice.post("/name/", {"name": "Alice"})
    seq = say(bob, "Bob's")
    for answer in (alice.get(f"{PATH}{seq}/"), alice.post(f"{PATH}{seq}/", form)):
        assert answer.status_code == 403
        assert "only what you have said yourself" in answer.content.decode()
    assert bodies(page_at(bob)) == ["Bob's"]


def test_who_has_logged_out_changes_nothing(alice: Client) -> None:
    alice.force_login(User.objects.create_user("alice"))
    seq = say(alice, "as alice")
    alice.logout()
    assert alice.post(f"{PATH}{seq}/", {"body": "as nobody"}).status_code == 403


@pytest.mark.parametrize("seq", [0, 2, 99, 10**30])
def test_what_is_not_there_cannot_be_changed(alice: Client, seq: int) -> None:
    say(alice, "the only one")
    assert alice.get(f"{PATH}{seq}/").status_code == 404


def test_what_cannot_be_said_is_kept_beside_the_reason(alice: Client) -> None:
    seq = say(alice, "hello")
    page = alice.post(f"{PATH}{seq}/", {"body": "x" * 4001})
    assert page.status_code == 422
    assert "at most 4000" in page.content.decode()
    assert "x" * 4001 in page.content.decode()


def test_a_busy_room_is_an_answer(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seq = say(alice, "hello")

    def busy(*_: Any, **__: Any) -> None:
        raise Busy("busy")

    monkeypatch.setattr(RoomTopic, "amend", busy)
    page = alice.post(f"{PATH}{seq}/", {"body": "hi"})
    assert page.status_code == 503
    assert "try again" in page.content.decode()


# --- The same by the topic ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"about": "1", "body": "x"}, "bad_frame"),
        ({"about": True, "body": "x"}, "bad_frame"),
        ({"about": 0, "body": "x"}, "bad_frame"),
        ({"about": 2**70, "body": "x"}, "bad_frame"),
        ({"about": 1, "body": ""}, "bad_frame"),
        ({"about": 1, "body": None}, "bad_frame"),
        ({"about": 1, "body": "x" * 4001}, "bad_frame"),
        ({"about": 1, "body": "x", "edited": True}, "bad_frame"),
        ({"about": 1, "retract": False}, "bad_frame"),
        ({"about": 1, "retract": 1, "body": "x"}, "bad_frame"),
        ({"about": None}, "bad_frame"),
        ({"about": 7, "body": "x"}, "bad_frame"),
        ({"about": 1, "body": "x"}, "forbidden"),
        ({"about": 1, "retract": True}, "forbidden"),
    ],
)
def test_a_change_that_is_none_is_refused_in_words(data: dict[str, Any], code: str) -> None:
    TEAHOUSE.append({"body": "hello"}, by=BOB)
    with pytest.raises(Refused) as refused:
        TEAHOUSE.changed(guest_of(None), data)
    assert refused.value.code == code
    assert str(refused.value)
    assert TEAHOUSE.position().seq == 1


def test_what_nobody_has_said_is_nobodys_to_change() -> None:
    TEAHOUSE.append({"body": "by a program"})
    with pytest.raises(Refused):
        TEAHOUSE.changed(Person("", "", guest=True, known=False), {"about": 1, "retract": True})


def test_a_message_that_is_removed_meanwhile_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    event = TEAHOUSE.append({"body": "hello"}, by=BOB)
    TEAHOUSE.retract(event.seq)
    monkeypatch.setattr(RoomTopic, "own", lambda *_: event)
    with pytest.raises(Refused, match="no such message"):
        TEAHOUSE.edit(event.seq, "other", BOB)

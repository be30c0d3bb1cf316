"""Who somebody is: alice is logged in, bob and carol are guests."""

import time
from typing import Any

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import RequestFactory

from topics import people
from topics.people import Person, guest_of, person_of, remember_guest, rename_guest, shown

BOB = Person("guest:b", "bob", guest=True)


def cookie_of(person: Person) -> str:
    response = HttpResponse()
    remember_guest(response, person)
    return response.cookies[people.COOKIE].value


def test_a_guest_without_a_cookie_is_somebody_new_each_time() -> None:
    first, second = guest_of(None), guest_of("")
    assert first.guest
    assert first.user_id is None
    assert first.name
    assert first.key != second.key


def test_a_guest_who_is_remembered_is_the_same_on_a_page_and_on_a_socket() -> None:
    cookie = cookie_of(BOB)
    request: Any = RequestFactory().get("/")
    request.COOKIES[people.COOKIE] = cookie
    request.user = type("Anonymous", (), {"is_authenticated": False})()
    assert guest_of(cookie) == person_of(request) == BOB


def test_one_request_is_one_person_also_without_a_cookie() -> None:
    request: Any = RequestFactory().get("/")
    request.user = type("Anonymous", (), {"is_authenticated": False})()
    assert person_of(request) == person_of(request)


@pytest.mark.parametrize(
    "cookie",
    [
        "x",
        "a:b:c",
        "\x00",
        "é\udc80",
        signing.dumps(["b", "bob"], salt="another"),
        signing.dumps(["b", "bob"], key="another", salt=people.SALT),
        signing.dumps("bob", salt=people.SALT) + "x",
        signing.dumps(7, salt=people.SALT),
        signing.dumps(["b", "bob", "c"], salt=people.SALT),
    ],
    ids=["a letter", "colons", "zero", "half a character", "salt", "key", "changed", "a number", "three"],
)
def test_nobody_becomes_somebody_else_by_a_forged_cookie(cookie: str) -> None:
    found = guest_of(cookie)
    assert found.guest
    assert found.key != BOB.key


def test_a_guests_cookie_ends_with_the_name_in_it_and_is_renewed_by_each_page(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [time.time()]
    monkeypatch.setattr(signing.time, "time", lambda: clock[0])
    old = cookie_of(BOB)
    renamed = cookie_of(rename_guest(BOB, "robert"))
    clock[0] += people.COOKIE_SECONDS - 60
    assert guest_of(old) == BOB
    renewed = cookie_of(guest_of(renamed))
    clock[0] += 120
    assert guest_of(old).key != BOB.key
    assert guest_of(old).name != "bob"
    assert guest_of(renewed) == Person(BOB.key, "robert", guest=True)


def test_who_brings_no_cookie_that_counts_is_not_known() -> None:
    assert not guest_of(None).known
    assert not guest_of("forged").known
    assert guest_of(cookie_of(guest_of(None))).known


def test_a_guests_cookie_is_kept_from_scripts_and_other_sites(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    response = HttpResponse()
    remember_guest(response, BOB)
    morsel = response.cookies[people.COOKIE]
    assert (morsel["httponly"], morsel["samesite"], morsel["secure"]) == (True, "Lax", True)


def test_who_is_logged_in_needs_no_guests_cookie() -> None:
    response = HttpResponse()
    remember_guest(response, Person("user:1", "alice", guest=False, user_id=1))
    assert not response.cookies


def test_a_guest_may_take_another_name_and_stays_the_same_person() -> None:
    assert rename_guest(BOB, "  Bob   the\tsecond ") == Person("guest:b", "Bob the second", guest=True)
    assert rename_guest(BOB, "鲍勃").name == "鲍勃"
    assert rename_guest(BOB, "علی\u200cرضا").name == "علی\u200cرضا"
    assert rename_guest(BOB, "Zoe\u0301").name == "Zoé"
    assert len(rename_guest(BOB, "x" * people.MAX_GUEST_NAME).name) == people.MAX_GUEST_NAME


@pytest.mark.parametrize("name", ["", "   ", "x" * 33, "a\x00b", "a\u202eb", "\u200b", "\ud800", "\u3164", "\ufe0f"])
def test_a_name_that_cannot_be_shown_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        rename_guest(BOB, name)


def test_who_is_logged_in_cannot_take_another_name() -> None:
    with pytest.raises(ValueError, match="account"):
        rename_guest(Person("user:1", "alice", guest=False, user_id=1), "bob")


def test_nobody_is_shown_anothers_key() -> None:
    assert shown(BOB) == {"key": BOB.public_key, "name": "bob", "guest": True}
    assert BOB.key not in BOB.public_key

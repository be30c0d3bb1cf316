"""Alice leaves: what she has said stays, and her name goes; bob goes on, and carol reads."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.models import Device
from rooms.topics import RoomTopic
from topics import retiring
from topics.models import Entry, Leaving, Log, Token
from topics.people import FORMER, of_user
from topics.retiring import STILL_COMING, Step
from topics.tokens.tokens import issue

pytestmark = pytest.mark.django_db

LOBBY, KITCHEN = RoomTopic(room="lobby"), RoomTopic(room="kitchen")


@pytest.fixture(autouse=True)
def alice() -> User:
    return User.objects.create_user("alice", "alice@example.org", "correct horse")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retiring, "AT_ONCE", 3)


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", password="correct horse")


@pytest.fixture
def said(alice: User, bob: User) -> None:
    for number in range(7):
        LOBBY.append({"body": f"word {number}"}, by=alice)
    LOBBY.append({"body": "I answer", "reply": 7}, by=bob)
    LOBBY.retract(6, by=alice)
    KITCHEN.append({"body": "tea"}, by=alice)


def browser(name: str = "alice") -> Client:
    found = Client()
    found.post("/accounts/login/", {"username": name, "password": "correct horse"})
    return found


def leaves(client: Client, password: str = "correct horse") -> Any:
    return client.post("/accounts/delete/", {"password": password})


def steps(user: int) -> Iterator[Step]:
    while (one := retiring.step(user)).more:
        yield one


def test_her_name_goes_from_everything_and_her_words_stay(alice: User, said: None) -> None:
    key = of_user(alice).public_key
    assert leaves(browser()).status_code == 200
    assert {one.topic for one in steps(alice.pk) if one.changes} == {"room/lobby", "room/kitchen"}
    assert not Entry.objects.filter(name="alice").exists()
    page = Client().get("/room/lobby/").content.decode()
    assert "word 3" in page
    assert "alice" not in page
    assert page.count(f'data-key="{key}"') == 6  # of her seven messages one is removed: its author is nobody's to know
    assert f'<b dir="auto">{FORMER}</b>' in page  # in bob's quote
    assert FORMER in Client().get("/search/?q=tea").content.decode()


def test_each_topic_is_told_once_whatever_was_said_there(alice: User, said: None) -> None:
    leaves(browser())
    before = LOBBY.position().seq
    [change] = [change for one in steps(alice.pk) if one.topic == "room/lobby" for change in one.changes]
    assert (change.seq, change.about, change.retracted) == (before + 1, 7, False)
    assert change.person is not None
    assert (change.person.name, change.person.key) == (FORMER, f"user:{alice.pk}")
    [event] = LOBBY.numbered([7])
    assert event.data == {"body": "word 6"}


def test_whoever_is_interrupted_goes_on_where_it_stood(alice: User, said: None) -> None:
    leaves(browser())
    assert retiring.step(alice.pk) == Step(more=True)
    assert Entry.objects.filter(name="alice").count() == 6
    list(steps(alice.pk))
    assert Entry.objects.filter(name="alice").count() == 0


def test_what_was_still_coming_is_waited_for_and_then_the_account_goes(alice: User, said: None) -> None:
    late = of_user(alice)
    leaves(browser())
    list(steps(alice.pk))
    assert User.objects.filter(pk=alice.pk).exists()
    KITCHEN.append({"body": "accepted a moment before"}, by=late)
    Leaving.objects.update(at=timezone.now() - STILL_COMING - timedelta(seconds=1))
    list(steps(alice.pk))
    assert not Entry.objects.filter(name="alice").exists()
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Leaving.objects.exists()
    assert Log.objects.count() == 2


def test_nobody_can_be_her_from_that_moment_on(alice: User) -> None:
    desk, phone = browser(), browser()
    issue(alice, "bot")
    leaves(desk)
    assert phone.get("/accounts/").status_code == 302
    assert desk.get("/accounts/").status_code == 302
    assert not Token.objects.exists()
    assert not Device.objects.exists()
    account = User.objects.get(pk=alice.pk)
    assert (account.is_active, account.email, account.has_usable_password()) == (False, "", False)
    assert not User.objects.filter(username="alice").exists()
    form = {"username": "alice", "password1": "correct horse b", "password2": "correct horse b"}
    assert Client().post("/accounts/sign-up/", form).status_code == 302  # the name is free


def test_her_password_is_asked_once_more(alice: User) -> None:
    assert leaves(browser(), "wrong").status_code == 422
    assert User.objects.get(username="alice").is_active


def test_the_last_superuser_is_told_what_to_do_first(alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    refused = leaves(browser())
    assert refused.status_code == 409
    assert "make another superuser first" in refused.content.decode()
    User.objects.filter(pk=bob.pk).update(is_superuser=True)
    assert leaves(browser()).status_code == 200
    assert User.objects.get(is_superuser=True) == bob


@pytest.mark.parametrize("name", ["Former member", "former  MEMBER", "Fоrmer member"])
def test_no_guest_is_called_like_those_who_have_left(name: str) -> None:
    assert Client().post("/name/", {"name": name}).status_code == 422

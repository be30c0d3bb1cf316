"""Alice makes an account; mallory would like to be taken for her, or for the site itself."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.forms import SignUpForm

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
PAGE = "/accounts/sign-up/"


def form(name: str, **fields: str) -> dict[str, str]:
    return {"username": name, "password1": PASSWORD, "password2": PASSWORD} | fields


def signs_up(name: str, browser: Client | None = None, **fields: str) -> Any:
    return (browser or Client()).post(PAGE, form(name, **fields))


def test_alice_is_logged_in_and_comes_back_to_where_she_was() -> None:
    browser = Client()
    answer = signs_up("alice", browser, email="alice@example.org", next="/room/lobby/")
    assert (answer.status_code, answer["Location"]) == (302, "/room/lobby/")
    assert "alice" in browser.get("/").content.decode()
    assert User.objects.get().email == "alice@example.org"
    assert not User.objects.get().is_staff


def test_she_is_sent_to_no_other_site() -> None:
    assert signs_up("alice", next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize("name", ["alice", "Alice", "аlice", "a1ice", "alice.", "ALICE", "álice"])
def test_mallory_cannot_be_called_like_alice(name: str) -> None:
    signs_up("alice")
    refused = signs_up(name)
    assert refused.status_code == 422
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["former-member", "Admin", "Аdmin", "removed", "moderator", "system"])
def test_nobody_is_called_what_the_site_says_itself(name: str) -> None:
    assert "Choose another name" in signs_up(name).content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "ㅤ", "a" * 33, "a b", "a\u200bb", "a\x00b"])
def test_what_is_no_name_that_can_be_seen_is_refused(name: str) -> None:
    assert signs_up(name).status_code in {400, 422}
    assert not User.objects.exists()


def test_of_two_who_take_a_name_at_once_the_second_is_told() -> None:
    first, second = SignUpForm(form("alice")), SignUpForm(form("Alice"))
    assert first.is_valid()
    assert second.is_valid()
    first.save()
    with pytest.raises(ValidationError, match="Choose another name"):
        second.save()


def test_a_weak_password_is_refused_with_what_is_wrong() -> None:
    refused = signs_up("alice", password1="alice123", password2="alice123")
    assert "too similar to the username" in refused.content.decode()


def test_where_accounts_are_made_by_hand_nobody_signs_up(settings: Any) -> None:
    settings.SIGN_UP = False
    assert signs_up("alice").status_code == 403
    assert "Make an account" not in Client().get("/accounts/login/").content.decode()
    assert not User.objects.exists()


def test_one_address_makes_so_many_accounts_within_an_hour(settings: Any) -> None:
    settings.SIGN_UPS_PER_ADDRESS = 2
    statuses = [signs_up(name).status_code for name in ("alice", "bob", "carol")]
    assert statuses == [302, 302, 429]
    assert Client(REMOTE_ADDR="192.0.2.9").post(PAGE, form("carol")).status_code == 302


def test_who_logs_in_is_the_guest_no_more_that_she_was() -> None:
    browser = Client()
    browser.post("/name/", {"name": "Carol"})
    assert browser.cookies["guest"].value
    signs_up("alice", browser)
    browser.get("/")
    browser.post("/accounts/logout/")
    assert not browser.cookies["guest"].value
    assert "Carol" not in browser.get("/").content.decode()


@pytest.mark.parametrize("path", ["login/", "sign-up/", "reset/", "reset/sent/", "reset/MQ/a-b/"])
def test_no_page_about_accounts_is_kept_by_a_cache(path: str) -> None:
    answer = Client().get(f"/accounts/{path}")
    assert "no-store" in answer["Cache-Control"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]

"""alice makes a token on her page and revokes it; bob looks, and staff revokes in the admin."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from django.utils import timezone

from topics.models import Token
from topics.tokens import tokens
from topics.tokens.tokens import identities, issue

pytestmark = pytest.mark.django_db

PAGE = "/accounts/tokens/"
FORM = {"name": "a bot", "topics": "votes/*\r\n  chat/open  \r\n\r\n", "acts": ["read", "write"], "days": "30"}


def logged_in(name: str, **about: Any) -> Browser:
    browser = Browser()
    browser.force_login(get_user_model().objects.create_user(name, **about))
    return browser


def secret_on(page: Any) -> str:
    [secret] = re.findall(r'<code id="secret">(.*?)</code>', page.content.decode())
    return str(secret)


def test_a_token_is_shown_once_and_works() -> None:
    alice = logged_in("alice")
    made = alice.post(PAGE, FORM)
    assert made.status_code == 200
    assert "no-store" in made.headers["Cache-Control"]
    [identity] = identities([secret_on(made)])
    assert identity is not None
    scope = identity.person.scope
    assert identity.person.name == "alice"
    assert scope is not None
    assert (scope.topics, scope.acts) == (("votes/*", "chat/open"), ("read", "write"))
    assert identity.until is not None
    assert timedelta(days=29) < identity.until - timezone.now() < timedelta(days=31)
    again = alice.get(PAGE).content.decode()
    assert "a bot" in again
    assert secret_on(made) not in again
    assert 'id="secret"' not in again


def test_a_token_for_ever_is_possible_and_said() -> None:
    alice = logged_in("alice")
    [identity] = identities([secret_on(alice.post(PAGE, {**FORM, "days": ""}))])
    assert identity is not None
    assert identity.until is None
    assert "never" in alice.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"topics": "  "}, "This field is required."),
        ({"topics": "\n".join("x" for _ in range(21))}, "A token has at most 20 patterns of topics."),
        ({"topics": "x" * 201}, "A pattern has at most 200 visible characters."),
        ({"acts": []}, "This field is required."),
        ({"acts": ["own"]}, "Select a valid choice."),
        ({"days": "1000"}, "Select a valid choice."),
    ],
)
def test_what_makes_no_token_is_said_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    answer = logged_in("alice").post(PAGE, FORM | change)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Token.objects.exists()


def test_who_has_too_many_is_told_to_revoke_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    alice = logged_in("alice")
    alice.post(PAGE, FORM)
    answer = alice.post(PAGE, FORM)
    assert answer.status_code == 400
    assert "revoke one that is not needed any more" in answer.content.decode()


def test_alice_revokes_her_own_token_and_bob_cannot() -> None:
    alice, bob = logged_in("alice"), logged_in("bob")
    secret = secret_on(alice.post(PAGE, FORM))
    revoke = f"{PAGE}{Token.objects.get().pk}/revoke/"
    assert bob.post(revoke).status_code == 404
    assert "a bot" not in bob.get(PAGE).content.decode()
    assert identities([secret]) != [None]
    assert alice.get(revoke).status_code == 405
    assert alice.post(revoke).headers["Location"] == PAGE
    assert identities([secret]) == [None]


def test_a_guest_is_asked_to_log_in_and_a_foreign_page_makes_no_token() -> None:
    assert Browser().get(PAGE).headers["Location"].startswith("/accounts/login/")
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.create_user("alice"))
    assert strict.post(PAGE, FORM).status_code == 403


def test_staff_sees_tokens_and_revokes_them_and_makes_none() -> None:
    staff = logged_in("staff", is_staff=True, is_superuser=True)
    token, secret = issue(get_user_model().objects.create_user("alice"), "a bot")
    list_of_all = "/admin/topics/token/"
    assert "a bot" in staff.get(list_of_all).content.decode()
    one = staff.get(f"{list_of_all}{token.pk}/change/").content.decode()
    assert secret not in one
    assert token.digest not in one
    assert staff.get(f"{list_of_all}add/").status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"}
    assert staff.post(list_of_all, selected).status_code == 302
    assert identities([secret]) == [None]

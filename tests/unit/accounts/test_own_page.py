"""Alice is logged in by two browsers; mallory has got hold of one of her sessions, and is somebody himself."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.devices import device
from accounts.models import Device

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML) Version/17.5 Safari/604.1"
ACCOUNT = "/accounts/"
NEW = {"new_password1": "another horse battery", "new_password2": "another horse battery"}


@pytest.fixture(autouse=True)
def alice() -> User:
    return User.objects.create_user("alice", password="correct horse")


def browser(agent: str = FIREFOX, name: str = "alice") -> Client:
    found = Client(HTTP_USER_AGENT=agent)
    assert found.post("/accounts/login/", {"username": name, "password": "correct horse"}).status_code == 302
    return found


def is_logged_in(client: Client) -> bool:
    return client.get(ACCOUNT).status_code == 200


def devices(client: Client) -> list[str]:
    return re.findall(r"<li>\s*<b>(.*?)</b>", client.get(ACCOUNT).content.decode())


def test_she_sees_where_she_is_logged_in_and_ends_one_of_them() -> None:
    desk, phone = browser(), browser(PHONE)
    page = desk.get(ACCOUNT).content.decode()
    assert devices(desk) == ["Firefox on Windows", "Safari on iPhone"]
    [end] = re.findall(r'action="(/accounts/sessions/\d+/end/)"', page)
    assert desk.post(end, follow=True).status_code == 200
    assert not is_logged_in(phone)
    assert devices(desk) == ["Firefox on Windows"]


def test_she_logs_out_everywhere_else() -> None:
    desk, others = browser(), [browser(PHONE) for _ in range(3)]
    desk.post("/accounts/sessions/end/")
    assert is_logged_in(desk)
    assert not any(is_logged_in(other) for other in others)


def test_nobody_ends_somebody_elses_session() -> None:
    User.objects.create_user("mallory", password="correct horse")
    desk, mallory = browser(), browser(name="mallory")
    [hers] = Device.objects.filter(user__username="alice")
    assert "over already" in mallory.post(f"/accounts/sessions/{hers.pk}/end/", follow=True).content.decode()
    assert is_logged_in(desk)


def test_another_password_keeps_this_session_and_ends_the_others() -> None:
    desk, phone = browser(), browser(PHONE)
    key = desk.session.session_key
    assert desk.post("/accounts/password/", {"old_password": "correct horse"} | NEW).status_code == 302
    assert is_logged_in(desk)
    assert desk.session.session_key != key  # which somebody else may have
    assert not is_logged_in(phone)
    assert devices(desk) == ["Firefox on Windows"]


def test_what_ended_otherwise_is_not_listed(alice: User) -> None:
    desk, phone = browser(), browser(PHONE)
    phone.post("/accounts/logout/")
    assert devices(desk) == ["Firefox on Windows"]
    assert Device.objects.count() == 1


def test_who_has_only_the_session_guesses_no_password_and_changes_no_address() -> None:
    desk = browser()
    wrong = {"old_password": "wrong"} | NEW
    assert [desk.post("/accounts/password/", wrong).status_code for _ in range(10)] == [422] * 9 + [429]
    assert desk.post("/accounts/email/", {"email": "m@example.org", "password": "correct horse"}).status_code == 429
    assert User.objects.get().email == ""


def test_by_her_password_she_gives_an_address_and_takes_it_away() -> None:
    desk = browser()
    for address in ("alice@example.org", ""):
        assert desk.post("/accounts/email/", {"email": address, "password": "correct horse"}).status_code == 302
        assert User.objects.get().email == address
    assert desk.post("/accounts/email/", {"email": "no address", "password": "correct horse"}).status_code == 422


@pytest.mark.parametrize("path", ["", "password/", "email/"])
def test_a_guest_is_asked_to_log_in(path: str) -> None:
    answer: Any = Client().get(ACCOUNT + path)
    assert answer["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("", "a browser that says nothing about itself"),
        ("curl/8.5.0", "curl/8.5.0"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0",
            "Edge on Linux",
        ),
        ("<b>" + "x" * 300, "<b>" + "x" * 57),
    ],
)
def test_a_browser_is_shown_by_what_people_call_it(agent: str, shown: str) -> None:
    assert device(agent) == shown

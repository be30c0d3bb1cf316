"""Guessing passwords: alice has an account, mallory knows its name, and bob only wants to see the rooms."""

import logging
import threading
from datetime import timedelta
from io import StringIO
from time import monotonic
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import hashers
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import logins

pytestmark = pytest.mark.django_db

DOORS = ["/accounts/login/", "/admin/login/"]


@pytest.fixture(autouse=True)
def alice() -> User:
    return User.objects.create_superuser("alice", password="correct horse")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that took the processor's time."""
    found: list[str] = []
    encode = hashers.MD5PasswordHasher.encode

    def count(self: Any, password: str, salt: str) -> str:
        found.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", count)
    return found


def tries(password: str, door: str = DOORS[0], name: str = "alice", address: str = "192.0.2.1", **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).post(door, {"username": name, "password": password}, **headers)


@pytest.mark.parametrize("door", DOORS)
def test_after_ten_wrong_passwords_even_the_right_one_is_refused_unchecked(door: str, checked: list[str]) -> None:
    statuses = [tries(f"wrong {number}", door).status_code for number in range(10)]
    assert statuses == [200] * 9 + [429]
    checked.clear()
    refused = tries("correct horse", door)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "900"
    assert "Try again in 15 minutes." in refused.content.decode()
    assert checked == []
    assert tries("correct horse", DOORS[0] if door == DOORS[1] else DOORS[1]).status_code == 429  # one count for both


def test_another_name_of_the_browser_is_no_other_visitor() -> None:
    for number in range(10):
        tries("wrong", HTTP_USER_AGENT=f"browser {number}")
    assert tries("correct horse", HTTP_USER_AGENT="yet another").status_code == 429


def test_mallory_does_not_lock_alice_out_at_her_own_address_and_nobody_else_at_his() -> None:
    for _ in range(30):
        tries("wrong", address="192.0.2.66")
    assert tries("correct horse").status_code == 302
    User.objects.create_user("carol", password="battery staple")
    assert tries("battery staple", name="carol", address="192.0.2.66").status_code == 302


def test_an_account_is_locked_for_all_where_many_addresses_guess(settings: Any) -> None:
    settings.LOGIN_FAILURES = settings.AXES_FAILURE_LIMIT = 1
    for number in range(logins.FROM_ANYWHERE):
        tries("wrong", address=f"198.51.100.{number}")
    assert tries("correct horse").status_code == 429


@pytest.mark.parametrize("neighbour", ["192.0.2.66", "2001:db8:0:1::2"])
def test_an_address_that_guesses_at_many_accounts_is_locked_with_its_network(settings: Any, neighbour: str) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 5
    address = "192.0.2.66" if "." in neighbour else "2001:db8:0:1::1"
    for number in range(5):
        tries("wrong", name=f"user-{number}", address=address)
    assert tries("correct horse", address=neighbour).status_code == 429
    assert tries("correct horse").status_code == 302


def test_where_all_share_one_address_it_is_not_counted(settings: Any) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 0
    for number in range(30):
        tries("wrong", name=f"user-{number}")
    assert tries("correct horse").status_code == 302


def test_the_lock_ends_by_itself_and_trying_meanwhile_does_not_prolong_it() -> None:
    for _ in range(12):
        tries("wrong")
    assert AccessAttempt.objects.get().failures_since_start == 10
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert tries("correct horse").status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_name_that_no_table_has_room_for_is_wrong_like_any_other() -> None:
    assert [tries("wrong", name="x" * 5_000).status_code for _ in range(10)] == [200] * 9 + [429]
    assert AccessAttempt.objects.get().username == "x" * 255


def test_an_operator_unlocks_an_account() -> None:
    for _ in range(10):
        tries("wrong")
    call_command("axes_reset_username", "alice", stdout=StringIO())
    assert tries("correct horse").status_code == 302


def test_one_line_is_logged_and_it_holds_no_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(13):
        tries("my secret")
    for _ in range(13):
        tries("x", name="typed my secret here", address="192.0.2.2")
    lines = [record.getMessage() for record in caplog.records if record.name == "accounts.logins"]
    assert lines == [
        "too many wrong passwords for the account 'alice' from 192.0.2.1",
        "too many wrong passwords for an account that does not exist from 192.0.2.2",
    ]
    assert "secret" not in "".join(AccessAttempt.objects.values_list("post_data", flat=True))


def test_one_password_is_checked_at_a_time_and_who_finds_no_seat_is_told_when_to_come_back() -> None:
    begun, may_end = threading.Semaphore(0), threading.Event()
    inside: list[int] = []

    def slow(request: Any) -> Any:
        inside.append(1)
        begun.release()
        assert may_end.wait(30)
        inside.pop()
        return "done"

    view = logins.one_at_a_time(slow)
    request = Client().request().wsgi_request
    request.method = "POST"
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(view(request))) for _ in range(logins.SEATS)]
    threads[0].start()
    assert begun.acquire(timeout=30)
    threads[1].start()
    deadline = monotonic() + 30
    while logins._seats.acquire(blocking=False):  # until the second one waits
        logins._seats.release()
        assert monotonic() < deadline
    busy = view(request)
    assert (busy.status_code, busy["Retry-After"]) == (429, "5")
    assert "Many people are logging in" in busy.content.decode()
    assert inside == [1]
    request.method = "GET"
    may_end.set()
    assert view(request) == "done"  # the page itself needs no seat
    for thread in threads:
        thread.join(5)
    assert answers == ["done", "done"]

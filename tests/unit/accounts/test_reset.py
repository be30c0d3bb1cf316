"""Alice has forgotten her password; mallory would like to know who has an account, and to get her link."""

import re
import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends import locmem
from django.test import Client
from django.utils import timezone

from accounts import letters
from accounts.checks import letters_arrive
from accounts.models import Letter

pytestmark = pytest.mark.django_db

PASSWORD = "another horse battery"


@pytest.fixture(autouse=True)
def alice() -> User:
    return User.objects.create_user("alice", "alice@example.org", "correct horse")


def asks(address: str = "alice@example.org", **headers: str) -> Any:
    return Client(**headers).post("/accounts/reset/", {"email": address})


def link() -> str:
    [letter] = mail.outbox
    [found] = re.findall(r"^https?://\S+$", str(letter.body), re.MULTILINE)
    return str(found)


def opens(address: str, browser: Client) -> str:
    """The path of the form that the link leads to."""
    path = re.sub(r"https?://[^/]+", "", address)
    answer = browser.get(path, follow=True)
    return str(answer.redirect_chain[-1][0]) if answer.redirect_chain else path


def chooses(address: str, browser: Client) -> Any:
    return browser.post(opens(address, browser), {"new_password1": PASSWORD, "new_password2": PASSWORD})


def test_she_gets_a_link_by_which_she_chooses_another_password_once() -> None:
    assert asks().status_code == 302
    assert letters.send_next() is None
    assert not Letter.objects.exists()
    [letter] = mail.outbox
    assert letter.to == ["alice@example.org"]
    assert "text/plain" in str(letter.message()["Content-Type"])
    address = link()
    assert address.startswith("http://testserver/accounts/reset/")
    assert chooses(address, Client()).status_code == 302
    assert User.objects.get().check_password(PASSWORD)
    again = Client().get(address.removeprefix("http://testserver"), follow=True)
    assert "This link works no more" in again.content.decode()


def test_the_letter_is_in_the_language_of_who_asked() -> None:
    """It is written later, by a thread that serves nobody."""
    asks(HTTP_ACCEPT_LANGUAGE="zh-CN")
    letters.send_next()
    [letter] = mail.outbox
    assert letter.subject == "重设你在 testserver 的密码"
    assert letter.body.startswith("alice，你好：")
    assert "1 小时内" in letter.body


def test_the_link_is_of_no_use_after_an_hour(settings: Any) -> None:
    asks()
    letters.send_next()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "This link works no more" in Client().get(link().removeprefix("http://testserver")).content.decode()


def test_whether_there_is_an_account_shows_in_nothing(django_assert_num_queries: Any) -> None:
    answers = []
    for address in ("alice@example.org", "nobody@example.org"):
        with django_assert_num_queries(5):
            answers.append(asks(address))
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    assert Letter.objects.count() == 2


def test_a_host_that_somebody_made_up_is_in_no_link(settings: Any) -> None:
    assert asks(HTTP_HOST="evil.example").status_code == 400
    assert asks(HTTP_X_FORWARDED_HOST="evil.example").status_code == 302
    letters.send_next()
    assert link().startswith("http://testserver/")
    settings.ALLOWED_HOSTS = ["*"]
    assert asks(HTTP_HOST="evil.example").status_code == 503
    assert not Letter.objects.exists()


def test_a_mail_server_that_is_away_loses_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_away(_: Any) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    asks()
    asks("nobody@example.org")
    with monkeypatch.context() as away:
        away.setattr(locmem.EmailBackend, "open", is_away)
        assert letters.send_next() is not None
        assert letters.send_next() is not None
    Letter.objects.update(asked_at=timezone.now() - letters.LATE)
    assert Letter.objects.count() == 2  # also where there is nobody to write to
    assert "E-mail is late" in Client().get("/accounts/reset/sent/").content.decode()
    Letter.objects.update(next_at=timezone.now())
    letters.send_next()
    letters.send_next()
    assert [letter.to for letter in mail.outbox] == [["alice@example.org"]]
    assert not Letter.objects.exists()


def test_what_could_not_be_sent_for_hours_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    asks()
    Letter.objects.update(asked_at=timezone.now() - letters.KEPT - timedelta(seconds=1))
    assert letters.send_next() is None
    assert mail.outbox == []
    assert "1 letters could not be sent" in caplog.text


def test_who_asks_too_often_is_told_whomever_she_asks_for(settings: Any) -> None:
    for address in ("alice@example.org", "nobody@example.org"):
        assert [asks(address).status_code for _ in range(6)] == [302] * 5 + [429]
    settings.RESETS_PER_ADDRESS = 11
    refused = [asks(f"{number}@example.org") for number in range(2)]
    assert [answer.status_code for answer in refused] == [302, 429]
    assert "too often" in refused[1].content.decode()


def test_a_mailbox_is_not_filled_by_accounts_that_somebody_else_has_made_with_its_address() -> None:
    for number in range(10):
        User.objects.create_user(f"alice-{number}", "alice@example.org", "correct horse")
    asks()
    letters.send_next()
    assert len(mail.outbox) == letters.MOST_ACCOUNTS


@pytest.mark.parametrize("state", [{"is_active": False}, {"password": "!unusable"}])
def test_an_account_that_is_closed_gets_no_link(state: dict[str, Any]) -> None:
    User.objects.update(**state)
    asks()
    letters.send_next()
    assert mail.outbox == []


def test_the_operator_is_told_that_links_go_to_the_log(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert [found.id for found in letters_arrive()] == ["accounts.W001"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert letters_arrive() == []
    assert letters.FIRST_PAUSE.total_seconds() > project.EMAIL_TIMEOUT

"""The mail server and the sender: what alice says of them, and no sentence that shows a part of her password."""

from collections.abc import Callable
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured

Read = Callable[..., ModuleType]

SENDER = "Rooms <rooms@example.org>"


def test_letters_go_to_the_log_where_no_server_is_named(read: Read) -> None:
    assert read().EMAIL_BACKEND == "django.core.mail.backends.console.EmailBackend"


@pytest.mark.parametrize(
    ("scheme", "port", "starttls", "tls"),
    [("smtp", 25, False, False), ("smtp+tls", 587, True, False), ("smtp+ssl", 465, False, True)],
)
def test_an_address_says_how_the_server_is_reached(
    read: Read, scheme: str, port: int, starttls: bool, tls: bool
) -> None:
    found = read(EMAIL_URL=f"{scheme}://rooms%40example.org:p%40ss%2F@smtp.example.org", DEFAULT_FROM_EMAIL=SENDER)
    assert found.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    assert ["smtp.example.org", port] == [found.EMAIL_HOST, found.EMAIL_PORT]
    assert (found.EMAIL_HOST_USER, found.EMAIL_HOST_PASSWORD) == ("rooms@example.org", "p@ss/")
    assert [starttls, tls] == [found.EMAIL_USE_TLS, found.EMAIL_USE_SSL]
    assert (found.DEFAULT_FROM_EMAIL, found.EMAIL_TIMEOUT) == (SENDER, 10)
    assert read(EMAIL_URL=f"{scheme}://smtp:2525", DEFAULT_FROM_EMAIL=SENDER).EMAIL_PORT == 2525


@pytest.mark.parametrize(
    "url",
    [
        "smtp.example.org",
        "smtps://smtp.example.org",
        "smtp://",
        "smtp+tls://rooms:hunt/er2@smtp.example.org",
        "smtp+tls://rooms:hunt#er2@smtp.example.org",
        "smtp+tls://rooms:hunt?er2@smtp.example.org",
        "smtp+tls://rooms:er2@smtp.example.org:port",
    ],
)
def test_an_address_that_cannot_work_is_refused_and_not_shown(read: Read, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL ") as refused:
        read(EMAIL_URL=url, DEFAULT_FROM_EMAIL=SENDER)
    assert "er2" not in str(refused.value)


@pytest.mark.parametrize("sender", ["", "rooms", "Rooms <rooms>", "rooms@example.org\nBcc: all@example.org"])
def test_a_server_needs_a_sender_that_is_one(read: Read, sender: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DEFAULT_FROM_EMAIL "):
        read(EMAIL_URL="smtp://smtp.example.org", DEFAULT_FROM_EMAIL=sender)


def test_accounts_are_open_where_guests_are_unless_somebody_says_otherwise(read: Read) -> None:
    assert read().SIGN_UP
    assert not read(ALLOW_GUESTS="0").SIGN_UP
    assert read(ALLOW_GUESTS="0", SIGN_UP="1").SIGN_UP
    assert not read(SIGN_UP="0").SIGN_UP

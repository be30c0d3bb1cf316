"""What `check --deploy` says of the door."""

from typing import Any

import pytest

from realtime.deployment import door_fits


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    """As `make up` with a proxy in front that ends TLS."""
    settings.ALLOWED_HOSTS, settings.ALLOWED_ORIGINS = ["rooms.example.org"], ["https://friend.example"]
    settings.SECURE_SSL_REDIRECT, settings.PROXY_HOPS = True, 1
    settings.REDIS_URL, settings.REDIS_PLACE = "redis://:password@redis:6379/0", "redis:6379"


def said() -> list[tuple[str, str]]:
    return [(str(message.id), f"{message.msg} {message.hint}") for message in door_fits()]


def test_a_site_that_is_well_is_no_news() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("changed", "id", "words"),
    [
        ({"ALLOWED_HOSTS": ["*"]}, "realtime.W001", "ALLOWED_HOSTS=rooms.example.org"),
        ({"PROXY_HOPS": 0}, "realtime.E001", "Set PROXY_HOPS=1"),
        ({"SECURE_SSL_REDIRECT": False}, "realtime.W002", "cookies and words of rooms.example.org"),
        ({"ALLOWED_ORIGINS": ["http://friend.example:81"]}, "realtime.W003", "write https://friend.example:81"),
        ({"ALLOWED_ORIGINS": ["https://rooms.example.org"]}, "realtime.W004", "need no entry"),
        ({"REDIS_URL": "redis://redis:6379/0"}, "realtime.W005", "Redis at redis:6379 has no password"),
    ],
)
def test_what_does_not_fit_is_said_with_what_to_set(
    settings: Any, changed: dict[str, Any], id: str, words: str
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    ((found, sentence),) = said()
    assert found == id
    assert words in sentence


@pytest.mark.parametrize(
    "changed",
    [
        {"PROXY_HOPS": 0, "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        {"SECURE_SSL_REDIRECT": False, "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"]},
        {"ALLOWED_ORIGINS": ["http://localhost:3000", "https://rooms.example.org:8443"]},
        {"REDIS_URL": "redis://localhost:6379/0", "REDIS_PLACE": "localhost:6379"},
        {"REDIS_URL": "", "REDIS_PLACE": ""},
    ],
)
def test_what_is_right_in_its_place_is_no_news(settings: Any, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert said() == []

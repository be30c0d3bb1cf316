"""Alice talks, bob has a phone; the push service is a stand-in that reads what bob's browser would."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from phone import looking
from servers.push import PushService
from topics import Person
from topics.people import of_user

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def site(cheap_pages: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends at once, and to this machine."""
    from config import vapid

    settings.VAPID_KEY, settings.PUSH_PRIVATE = vapid.key(KEY), True
    monkeypatch.setattr(looking, "SETTLE", timedelta(0))
    monkeypatch.setattr(looking, "GATHER", timedelta(0))


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as running:
        yield running


@pytest.fixture
def alice() -> Person:
    return of_user(User.objects.create_user("alice", password="correct horse"))


@pytest.fixture
def bob() -> Person:
    return of_user(User.objects.create_user("bob", password="correct horse"))


def browser(name: str) -> Client:
    found = Client()
    found.post("/accounts/login/", {"username": name, "password": "correct horse"})
    return found


@pytest.fixture
def phone(bob: Person, service: PushService) -> Client:
    """Bob's, which wants to be told."""
    found = browser("bob")
    assert found.post("/push/", service.subscription()).status_code == 204
    return found

"""What docs/topics.md has a view say does what it says."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

import first_topic
from topics import routes
from topics.storing import logs

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the page's first program leaves behind."""
    logs._known.clear()
    monkeypatch.setattr(routes, "classes", [])
    names: dict[str, Any] = {"__name__": "votes.topics"}
    exec(first_topic.programs()[0], names)
    return names


@pytest.mark.parametrize("guest", [True, False], ids=["a guest", "alice"])
def test_a_view_appends_in_the_name_of_who_asks(page: dict[str, Any], guest: bool) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser() if guest else get_user_model().objects.create_user("alice")
    exec(first_topic.programs()[1], page | {"request": request})
    [event] = page["Votes"](poll="lunch").events()
    assert event.data == "pasta"
    assert event.by is not None
    assert (event.by.guest, event.by.name == "alice") == (guest, not guest)

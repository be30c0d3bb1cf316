"""The admin is a window: staff see topics and events, and change none."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from rooms.models import Room
from rooms.topics import RoomTopic
from topics.models import Entry
from topics.people import Person

pytestmark = pytest.mark.django_db

BOB = Person("guest:bob", "Bob", guest=True)
TEAHOUSE = RoomTopic(room="茶馆")


@pytest.fixture
def alice() -> Client:
    """She may do everything that anybody may."""
    client = Client()
    client.force_login(User.objects.create_superuser("alice"))
    return client


@pytest.fixture
def entry() -> Entry:
    TEAHOUSE.append({"body": "Tea at five?"}, by=BOB)
    return Entry.objects.get()


@pytest.mark.parametrize("query", ["room/茶馆", "Bob", "five"])
def test_alice_finds_an_event_by_topic_author_or_text(alice: Client, entry: Entry, query: str) -> None:
    assert "Tea at five?" in alice.get("/admin/topics/entry/", {"q": query}).content.decode()
    assert "Tea at five?" not in alice.get("/admin/topics/entry/", {"q": "nothing of it"}).content.decode()


@pytest.mark.parametrize("kind", ["rooms/room", "topics/log", "topics/entry"])
def test_even_alice_changes_nothing(alice: Client, entry: Entry, kind: str) -> None:
    key = {"rooms/room": Room.objects.get().pk, "topics/log": entry.log_id, "topics/entry": entry.pk}[kind]
    assert alice.get(f"/admin/{kind}/{key}/change/").status_code == 200
    for change in ("add", f"{key}/change", f"{key}/delete"):
        assert alice.post(f"/admin/{kind}/{change}/", {"post": "yes"}).status_code == 403, change
    alice.post(f"/admin/{kind}/", {"action": "delete_selected", "_selected_action": key, "post": "yes"})
    assert Entry.objects.get().data == '{"body":"Tea at five?"}'


def test_carol_who_is_not_staff_sees_nothing(entry: Entry) -> None:
    carol = Client()
    carol.force_login(User.objects.create_user("carol"))
    assert carol.get("/admin/topics/entry/").status_code == 302


def test_the_list_asks_as_often_for_many_events_as_for_one(
    alice: Client, entry: Entry, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        TEAHOUSE.append({"body": "more"}, by=BOB)
    assert Entry in admin.site._registry
    alice.get("/admin/")  # where she is logged in is noted at the first page
    with django_assert_max_num_queries(8):
        alice.get("/admin/topics/entry/")

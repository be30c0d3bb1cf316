"""The admin is a window: staff see rooms and messages, and change none."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from rooms.models import Message, Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Client:
    """She may do everything that anybody may."""
    client = Client()
    client.force_login(User.objects.create_superuser("alice"))
    return client


@pytest.fixture
def message() -> Message:
    room = Room.objects.enter("茶馆")
    return Message.objects.create(
        room=room, seq=1, client_id="an-id", author="Bob", guest=True, body="Tea at five?", at=timezone.now()
    )


@pytest.mark.parametrize("query", ["茶馆", "Bob", "five"])
def test_alice_finds_a_message_by_room_author_or_text(alice: Client, message: Message, query: str) -> None:
    assert "Tea at five?" in alice.get("/admin/rooms/message/", {"q": query}).content.decode()
    assert "Tea at five?" not in alice.get("/admin/rooms/message/", {"q": "nothing of it"}).content.decode()


@pytest.mark.parametrize("kind", ["room", "message"])
def test_even_alice_changes_nothing(alice: Client, message: Message, kind: str) -> None:
    key = message.pk if kind == "message" else message.room_id
    assert alice.get(f"/admin/rooms/{kind}/{key}/change/").status_code == 200
    for change in ("add", f"{key}/change", f"{key}/delete"):
        assert alice.post(f"/admin/rooms/{kind}/{change}/", {"post": "yes"}).status_code == 403, change
    alice.post(f"/admin/rooms/{kind}/", {"action": "delete_selected", "_selected_action": key, "post": "yes"})
    assert Message.objects.get().body == "Tea at five?"


def test_carol_who_is_not_staff_sees_nothing(message: Message) -> None:
    carol = Client()
    carol.force_login(User.objects.create_user("carol"))
    assert carol.get("/admin/rooms/message/").status_code == 302


def test_the_list_asks_as_often_for_many_messages_as_for_one(
    alice: Client, message: Message, django_assert_max_num_queries: Any
) -> None:
    for number in range(2, 30):
        Message.objects.create(
            room=message.room, seq=number, client_id=str(number), author="Bob", guest=True, body="more", at=message.at
        )
    assert Message in admin.site._registry
    with django_assert_max_num_queries(8):
        alice.get("/admin/rooms/message/")

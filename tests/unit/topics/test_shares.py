"""A route has as many names as eve can think of. Nobody fills the database with logs by sending to each."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from prometheus_client import REGISTRY

from topics import Topic, people
from topics.models import Log
from topics.storing import logs, shares

from .declared import Chat, Votes
from .test_consumer import Client
from .test_http import post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]


@pytest.fixture(autouse=True)
def two_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "new_per_hour", 2)


def met(limit: str) -> float:
    return REGISTRY.get_sample_value("realtime_limited_total", {"limit": limit}) or 0.0


async def test_a_person_begins_so_many_topics_an_hour_over_sockets_and_http_together() -> None:
    before, eve = met("topics_per_person"), Client("eve")
    assert (await eve.sends("chat/1", "a", 1))["type"] == "ack"
    assert (await post({"data": 2}, "eve", "/topics/chat/2")).status_code == 201
    error = await eve.sends("chat/3", "c", 3)
    assert (error["code"], error["detail"]) == ("too_many_new_topics", shares.TOO_MANY)
    answer = await post({"data": 4}, "eve", "/topics/chat/4")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_new_topics")
    assert sorted(Log.objects.values_list("name", flat=True)) == ["chat/1", "chat/2"]
    assert met("topics_per_person") == before + 2


async def test_what_is_there_may_be_sent_to_and_others_have_shares_of_their_own() -> None:
    eve, bob = Client("eve"), Client("bob")
    for number in (1, 2):
        await eve.sends(f"chat/{number}", f"id{number}", 1)
    assert (await eve.sends("chat/1", "b", 2))["type"] == "ack"
    assert (await bob.sends("chat/3", "a", 1))["type"] == "ack"
    assert (await eve.sends("chat/3", "c", 3))["type"] == "ack"


async def test_an_hour_later_there_is_a_share_again() -> None:
    eve = Client("eve")
    for number in (1, 2):
        await eve.sends(f"chat/{number}", f"id{number}", 1)
    Log.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    assert (await eve.sends("chat/3", "a", 1))["type"] == "ack"


async def test_ten_people_at_one_address_have_ten_shares_whoever_they_say_they_are() -> None:
    for number in range(20):
        assert (await post({"data": 1}, f"guest-{number}", f"/topics/chat/{number}")).status_code == 201
    before = met("topics_per_address")
    assert (await post({"data": 1}, "guest-20", "/topics/chat/20")).status_code == 429
    assert met("topics_per_address") == before + 1


async def test_what_the_app_itself_appends_is_nobodys_share() -> None:
    alice = people.guest_of(None)
    for number in range(5):
        Chat(name_of_it=str(number)).append({"n": number}, by=alice)
    assert set(Log.objects.values_list("maker", "made_from")) == {("", "")}


async def test_a_log_with_another_name_is_still_its_makers() -> None:
    eve = Client("eve")
    await eve.sends("chat/1", "a", 1)
    logs.move("chat/1", "chat/2")
    assert Log.objects.get().maker == "guest:eve"


async def test_a_topic_may_leave_it_to_others_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "new_per_hour", None)
    eve = Client("eve")
    for number in range(3):
        assert (await eve.sends(f"chat/{number}", f"id{number}", 1))["type"] == "ack"
    assert Log.objects.filter(maker="").count() == 3


@pytest.mark.parametrize("most", [0, -1, "many", 1.5])
def test_a_share_that_is_none_is_refused_where_it_is_declared(most: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="new_per_hour is a whole number from 1 or None"):
        type("Wrong", (Topic,), {"route": "wrong/<slug:one>", "new_per_hour": most})


def test_the_default_is_a_hundred() -> None:
    assert Votes.new_per_hour == 100

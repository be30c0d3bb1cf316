"""Who follows a topic: alice with two tabs and bob, as a view or a request asks."""

import asyncio
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import SynchronousOnlyOperation
from django.test import Client as Browser

from realtime import asking, registry
from topics import Unreachable
from topics.delivery.services import Services
from topics.people import of_user

from .declared import Chat
from .test_consumer import OPEN, Client
from .test_http import follow, get

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

TOPIC = Chat(name_of_it="open")


async def test_everybody_is_there_once_and_leaves_with_the_last_tab() -> None:
    tabs, bob, stream = [Client("alice"), Client("alice")], Client("bob"), await follow("dave")
    for client in (*tabs, bob):
        await client.joins(OPEN)
    await stream.hears("joined")
    found = await TOPIC.amembers()
    assert sorted(person.name for person in found) == ["alice", "bob", "dave"]
    assert (len(found), found.total) == (3, 3)
    assert {person.key for person in found} == {"guest:alice", "guest:bob", "guest:dave"}
    first = await TOPIC.amembers(limit=1)
    assert (len(first), first.total) == (1, 3)


async def test_a_user_is_the_person_that_she_is_elsewhere() -> None:
    user, browser = get_user_model().objects.create_user("alice"), Browser()
    browser.force_login(user)
    await Client(cookie=f"sessionid={browser.cookies['sessionid'].value}").joins(OPEN)
    assert list(await TOPIC.amembers()) == [of_user(user)]


async def test_from_a_thread_it_is_asked_without_await() -> None:
    await Client("alice").joins(OPEN)
    found = await asyncio.to_thread(TOPIC.members)
    assert [person.name for person in found] == ["alice"]
    with pytest.raises(SynchronousOnlyOperation, match="amembers"):
        TOPIC.members()


def test_a_process_that_no_socket_could_be_in_knows_that_nobody_is_there(monkeypatch: Any) -> None:
    monkeypatch.setattr(registry, "_registries", {})
    assert TOPIC.members() == []
    assert TOPIC.members().total == 0


@pytest.mark.parametrize("limit", [-1, "10", 1.5])
def test_a_limit_is_a_number_of_people(limit: Any) -> None:
    with pytest.raises(TypeError, match="limit is a whole number"):
        TOPIC.members(limit)


async def test_where_redis_is_away_it_is_said_that_nobody_knows(process: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.1)
    process.down = True
    Services.here()
    with pytest.raises(Unreachable, match="Redis does not answer"):
        await TOPIC.amembers()
    with pytest.raises(Unreachable):
        await asyncio.to_thread(TOPIC.members)
    answer = await get(path=OPEN_MEMBERS)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


# --- Over HTTP ---------------------------------------------------------------------------------------

OPEN_MEMBERS = f"/topics/{OPEN}?members"


async def test_members_are_shown_as_everybody_may_see_them() -> None:
    alice = Client("alice")
    await alice.joins(OPEN)
    page = (await get("bob", OPEN_MEMBERS)).json()
    assert page == {"topic": OPEN, "members": [alice.heard[0]["you"]], "member_count": 1}
    assert (await get("bob", OPEN_MEMBERS + "&limit=0")).status_code == 400


async def test_who_may_not_read_does_not_learn_who_is_there() -> None:
    await Client("alice").joins(OPEN)
    assert (await get("carol", OPEN_MEMBERS)).status_code == 404

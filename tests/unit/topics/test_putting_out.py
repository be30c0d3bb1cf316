"""alice is put out: of all she follows, or everybody of one topic; who may comes back."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client as Browser

import topics
from realtime import checking
from topics import people
from topics.delivery.live import noticed
from topics.delivery.services import Services
from topics.models import Notice
from topics.people import Person
from topics.who import notices

from .declared import Chat
from .test_consumer import LUNCH, OPEN, Client
from .test_http import follow

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

ALICE = people.guest_of(signing.dumps(["alice", "alice"], salt=people.SALT))


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def checked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "CHECK_SECONDS", 0.02)


async def several_checks() -> None:
    """Whatever a check does it has done."""
    hub, asked = Services.here().hub, []
    changed = hub._product.changed

    async def counted(seconds: float) -> Any:
        asked.append(seconds)
        return await changed(seconds)

    hub._product.changed = counted  # type: ignore[method-assign]
    try:
        async with asyncio.timeout(30):
            while len(asked) < 4:
                await asyncio.sleep(0.01)
    finally:
        hub._product.changed = changed  # type: ignore[method-assign]


# --- Somebody ----------------------------------------------------------------------------------------


async def test_all_tabs_and_streams_of_alice_end_and_she_may_come_back(committed: Any) -> None:
    tabs = [Client("alice") for _ in range(3)]  # the last one follows nothing
    await tabs[0].joins(OPEN)
    await tabs[1].joins(LUNCH)
    await tabs[2].hears("welcome")
    stream = await follow("alice")
    await stream.hears("joined")
    bob = Client("bob")
    await bob.joins(OPEN)
    with committed():
        topics.disconnect(user=ALICE)
    for tab in tabs:
        assert (await tab.hears("goodbye"))["reason"] == "disconnected"
        await asyncio.wait_for(tab.task, 30)
        assert tab.closed == 4410
    assert (await stream.hears("goodbye"))[1]["reason"] == "disconnected"
    assert (await bob.sends(OPEN, "b", 1))["type"] == "ack"
    assert (await Client("alice").joins(OPEN))["member_count"] >= 1


async def test_a_user_is_given_as_she_is(committed: Any) -> None:
    user, browser = get_user_model().objects.create_user("alice"), Browser()
    browser.force_login(user)
    alice = Client(cookie=f"sessionid={browser.cookies['sessionid'].value}")
    await alice.joins(OPEN)
    with committed():
        topics.disconnect(user=user)
    assert (await alice.hears("goodbye"))["reason"] == "disconnected"


async def test_where_the_layer_is_away_the_database_tells_it_once(process: Any, checked_often: None) -> None:
    """Another process has written the row; here nobody has been told."""
    alice = Client("alice")
    await alice.joins(OPEN)
    await several_checks()
    notices.new(person=ALICE.key, out=True)
    assert (await alice.hears("goodbye"))["reason"] == "disconnected"
    back = Client("alice")
    await back.joins(OPEN)
    await several_checks()
    assert back.all("goodbye") == []


def test_nobody_is_put_out_by_what_is_rolled_back(committed: Any) -> None:
    with committed() as callbacks, transaction.atomic():
        topics.disconnect(user=ALICE)
        transaction.set_rollback(True)
    assert (callbacks, Notice.objects.count()) == ([], 0)


async def test_who_is_looked_at_anew_leaves_what_she_may_not_read_any_more(committed: Any, monkeypatch: Any) -> None:
    alice, bob = Client("alice"), Client("bob")
    stream = await follow("alice")
    for client in (alice, bob):
        await client.joins(OPEN)
        await client.joins(LUNCH)

    async def may(self: Chat, person: Person, act: str) -> bool:
        return False

    monkeypatch.setattr(Chat, "may", may)
    with committed():
        topics.recheck(user=ALICE)
    assert await alice.hears("left") == {"type": "left", "topic": OPEN, "reason": "forbidden"}
    assert (await stream.hears("goodbye"))[1]["reason"] == "forbidden"
    await several_looks()
    assert bob.all("left") == [], "nobody asked about bob"
    assert alice.closed is None


async def several_looks() -> None:
    while Services.here().hub.standing.task is not None:
        await asyncio.sleep(0.01)


# --- A topic -----------------------------------------------------------------------------------------


async def test_everybody_is_put_out_of_a_topic_and_keeps_the_others(committed: Any) -> None:
    alice, bob = Client("alice"), Client("bob")
    stream = await follow("bob")
    for client in (alice, bob):
        await client.joins(OPEN)
        await client.joins(LUNCH)
    with committed():
        topics.disconnect(topic=Chat(name_of_it="open"))
    for client in (alice, bob):
        assert await client.hears("left") == {"type": "left", "topic": OPEN, "reason": "disconnected"}
    assert (await stream.hears("goodbye"))[1]["reason"] == "disconnected"
    assert (await alice.joins(OPEN))["topic"] == OPEN
    assert [len(client.all("left")) for client in (alice, bob)] == [1, 1]
    assert (alice.closed, bob.closed) == (None, None)


async def test_a_handle_looks_at_its_followers_anew(committed: Any, monkeypatch: Any) -> None:
    alice = Client("alice")
    await alice.joins(OPEN)

    async def may(self: Chat, person: Person, act: str) -> bool:
        return False

    monkeypatch.setattr(Chat, "may", may)
    with committed():
        Chat(name_of_it="open").recheck()
    assert (await alice.hears("left"))["reason"] == "forbidden"


# --- What is given, and the table ---------------------------------------------------------------------


@pytest.mark.parametrize("about", [{}, {"user": ALICE, "topic": Chat(name_of_it="open")}])
def test_it_is_about_somebody_or_about_a_topic(about: Any) -> None:
    with pytest.raises(TypeError, match="Either user= or topic="):
        topics.disconnect(**about)


@pytest.mark.parametrize("about", [{"user": "alice"}, {"user": AnonymousUser()}, {"topic": OPEN}, {"topic": Chat}])
def test_what_is_neither_is_refused_with_a_sentence(about: Any) -> None:
    with pytest.raises(TypeError, match=r"user= is a user|topic= is a handle"):
        topics.recheck(**about)


def test_the_table_holds_some_minutes(committed: Any) -> None:
    topics.recheck(user=ALICE)
    Notice.objects.update(at=Now() - notices.KEPT - timedelta(seconds=1))
    with committed():
        topics.recheck(user=ALICE)
    assert Notice.objects.count() == 1


def test_notice_says_how_long_ago_it_was_given() -> None:
    notices.new(topic=OPEN, out=False)
    Notice.objects.update(at=Now() - timedelta(seconds=20))
    notices.new(person=ALICE.key, out=True)
    late, early = notices.recent(0)
    assert (late.person, late.topic, late.out) == (ALICE.key, "", True)
    assert 0 <= late.age < 5
    assert 20 <= early.age < 25
    assert noticed(early)[1:4] == (None, "topic:" + OPEN, False)
    Notice.objects.update(at=Now() - timedelta(seconds=40))
    assert notices.recent(0) == []
    assert len(notices.recent(60)) == 2

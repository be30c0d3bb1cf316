"""Who may be here no longer: alice and bob are logged in, carol is a guest; all follow a topic."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from realtime import hubs
from realtime.closing import DELETED, FORBIDDEN, LOGIN, RESTART, Goodbye
from realtime.standing import Verdict
from topics.delivery.live import PREFIX, Topics
from topics.models import Installation, Log, new_epoch
from topics.people import Person, guest_of, of_user
from topics.storing import logs
from topics.who import standing as topics_standing
from topics.who.identity import Identity

from .declared import Chat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

OPEN = Chat(name_of_it="open")
OTHER = Chat(name_of_it="other")

User = get_user_model()


@dataclass(frozen=True)
class Feed:
    room: str
    epoch: str
    seq: int


@dataclass(eq=False)
class Tab:
    """An open socket."""

    feed: Feed
    person: Person
    session: str | None = None
    put_out_of: list[str] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        return Identity(self.person, session=self.session)

    @property
    def key(self) -> str:
        return self.person.key

    @property
    def following(self) -> list[Feed]:
        return [self.feed]

    @property
    def followed(self) -> list[Chat]:
        return [Chat(name_of_it=self.feed.room.rpartition("/")[2])]

    def put_out(self, room: str, reason: Goodbye) -> None:
        assert reason is DELETED
        self.put_out_of.append(room)


def feed_of(topic: Chat) -> Feed:
    if not topic.position().seq:
        topic.append("hi")
    return Feed(PREFIX + topic.name, *topic.position())


@pytest.fixture
def alice() -> Tab:
    return tab("alice")


@pytest.fixture
def bob() -> Tab:
    return tab("bob")


@pytest.fixture
def carol() -> Tab:
    return Tab(feed_of(OPEN), guest_of(None))


@pytest.fixture
async def topics(alice: Tab, bob: Tab, carol: Tab) -> Topics:
    """Has seen all three, who may stay."""
    topics = Topics()
    assert await judge(topics, alice, bob, carol) == Verdict({}, {})
    return topics


def tab(name: str) -> Tab:
    user = User.objects.create_user(name, password="before")
    browser = Client()
    browser.force_login(user)
    return Tab(feed_of(OPEN), of_user(user), browser.cookies["sessionid"].value)


async def judge(topics: Topics, *tabs: Any, doubted: bool = False) -> Verdict:
    return await topics.judge(tabs, doubted)


def log_out(alice: Tab) -> None:
    browser = Client()
    browser.cookies["sessionid"] = alice.session
    browser.logout()


def change_password(alice: Tab) -> None:
    user = User.objects.get(pk=alice.person.user_id)
    user.set_password("after")
    user.save()


def expire(alice: Tab) -> None:
    Session.objects.filter(pk=alice.session).update(expire_date=timezone.now() - timedelta(seconds=1))


def deactivate(alice: Tab) -> None:
    User.objects.filter(pk=alice.person.user_id).update(is_active=False)


def delete(alice: Tab) -> None:
    User.objects.filter(pk=alice.person.user_id).delete()


def rename(alice: Tab) -> None:
    User.objects.filter(pk=alice.person.user_id).update(username="alice_smith")


ENDS: list[tuple[Callable[[Tab], None], Goodbye]] = [
    (log_out, LOGIN),
    (change_password, LOGIN),
    (expire, LOGIN),
    (deactivate, FORBIDDEN),
    (delete, FORBIDDEN),
    (rename, RESTART),
]


@pytest.mark.parametrize("doubted", [False, True])
@pytest.mark.parametrize(("change", "told"), ENDS, ids=[change.__name__ for change, _ in ENDS])
async def test_whose_session_or_account_has_ended_goes_and_the_others_stay(
    topics: Topics,
    alice: Tab,
    bob: Tab,
    carol: Tab,
    change: Callable[[Tab], None],
    told: Goodbye,
    doubted: bool,
) -> None:
    change(alice)
    assert await judge(topics, alice, bob, carol, doubted=doubted) == Verdict({alice: told}, {})


async def test_a_log_out_ends_that_session_and_no_other_of_the_same_person(alice: Tab, bob: Tab, carol: Tab) -> None:
    browser = Client()
    browser.force_login(User.objects.get(username="alice"))
    phone = Tab(alice.feed, alice.person, browser.cookies["sessionid"].value)
    log_out(alice)
    assert (await judge(Topics(), alice, phone, bob)).followers == {alice: LOGIN}


async def test_a_password_that_changed_before_a_second_session_was_looked_at_ends_it_too(
    topics: Topics, alice: Tab, bob: Tab, carol: Tab
) -> None:
    browser = Client()
    browser.force_login(User.objects.get(username="alice"))
    late = Tab(alice.feed, alice.person, browser.cookies["sessionid"].value)
    change_password(alice)
    assert (await judge(topics, alice, bob)).followers == {alice: LOGIN}
    assert (await judge(topics, late, bob)).followers == {late: LOGIN}


async def test_a_new_log_in_is_no_reason_to_read_a_session(
    topics: Topics, alice: Tab, bob: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(username="alice").update(last_login=timezone.now())
    monkeypatch.setattr(topics_standing, "people_of", lambda sessions: pytest.fail("read"))
    assert await judge(topics, alice, bob) == Verdict({}, {})


async def test_everybody_costs_three_queries(
    topics: Topics, alice: Tab, bob: Tab, carol: Tab, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        await judge(topics, *[alice, bob, carol] * 100)


async def test_guests_alone_cost_the_rooms_query(carol: Tab, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert await judge(Topics(), carol, carol) == Verdict({}, {})


async def test_nothing_is_remembered_of_sessions_that_are_over_or_whose_sockets_have_gone(
    topics: Topics, alice: Tab, bob: Tab
) -> None:
    log_out(alice)
    await judge(topics, alice, bob)
    assert list(topics._accounts._verified) == [bob.session]
    topics._accounts.over({}, doubted=False)
    assert topics._accounts._verified == {}


async def test_sessions_that_are_kept_elsewhere_are_judged_as_well(settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    cache.clear()
    alice, topics = tab("alice"), Topics()
    assert await judge(topics, alice) == Verdict({}, {})
    cache.clear()
    assert (await judge(topics, alice)).followers == {alice: LOGIN}


# --- Logs ----------------------------------------------------------------------------------------------


async def test_a_log_that_is_gone_is_lost_to_everybody_who_follows_it(topics: Topics, alice: Tab, carol: Tab) -> None:
    other = Tab(feed_of(OTHER), guest_of(None))
    OPEN.delete()
    assert await judge(topics, alice, carol, other) == Verdict({}, {})
    assert [len(one.put_out_of) for one in (alice, carol, other)] == [1, 1, 0]
    assert not logs.epoch_of(OPEN.name), "its key was remembered"


async def test_a_log_that_has_another_name_is_lost_under_the_old_one(topics: Topics, alice: Tab, carol: Tab) -> None:
    OPEN.move(OTHER)
    dave = Tab(feed_of(OTHER), guest_of(None))
    assert dave.feed.epoch == alice.feed.epoch
    assert await judge(topics, alice, carol, dave) == Verdict({}, {})
    assert [len(one.put_out_of) for one in (alice, carol, dave)] == [1, 1, 0]


async def test_a_quiet_log_that_is_another_one_starts_afresh(topics: Topics, carol: Tab) -> None:
    Log.objects.update(epoch=new_epoch())
    assert await judge(topics, carol) == Verdict({}, {carol.feed.room: RESTART})


async def test_what_nobody_has_appended_to_yet_is_not_looked_for(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    early = Tab(Feed(PREFIX + OTHER.name, "to be", 0), guest_of(None))
    with django_assert_num_queries(0):
        assert await judge(Topics(), early) == Verdict({}, {})
    assert early.put_out_of == []


# --- What is told at once ------------------------------------------------------------------------------


class Hub:
    def __init__(self) -> None:
        self.doubts: list[dict[str, str]] = []

    def doubt(self, **what: str) -> None:
        self.doubts.append(what)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()
    monkeypatch.setattr(hubs, "from_any_thread", lambda product, speak: speak(hub))
    return hub


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_what_happens_to_an_account_is_told_once_it_is_committed(hub: Hub, commits: Any, alice: Tab) -> None:
    user = User.objects.get(username="alice")
    for change in (lambda: log_out(alice), lambda: change_password(alice), user.save, user.delete):
        hub.doubts.clear()
        with commits():
            change()
            assert hub.doubts == []
        assert {"person": alice.key} in hub.doubts


def test_a_log_in_and_a_new_account_are_told_to_nobody(hub: Hub, commits: Any) -> None:
    with commits():
        Client().force_login(User.objects.create_user("dave"))
    assert hub.doubts == []


def test_that_a_topic_is_gone_is_told_once_it_is_committed(hub: Hub, commits: Any) -> None:
    OPEN.append("hi")
    for end in (OPEN.delete, lambda: OTHER.move(OPEN)):
        OTHER.append("hi")
        hub.doubts.clear()
        with commits():
            end()
            assert hub.doubts == []
        assert len(hub.doubts) == 1
    assert hub.doubts == [{"room": PREFIX + OTHER.name}]


# --- Which installation this is ------------------------------------------------------------------------


def test_an_installation_has_one_name_until_it_is_given_another(capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    epoch = feed_of(OPEN).epoch
    name = Installation.identity()
    assert len(name) == 16
    assert Installation.identity() == name
    call_command("new_epoch")
    assert Installation.identity() not in {name, ""}
    assert OPEN.position().epoch != epoch
    assert "new name" in capsys.readouterr().out

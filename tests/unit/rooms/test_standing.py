"""Who may be here no longer: alice and bob are logged in and in a room, carol is a guest there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from realtime import hubs
from realtime.closing import FORBIDDEN, LOGIN, NO_SUCH_ROOM, RESTART, Goodbye
from realtime.standing import Verdict
from rooms.models import Room, new_epoch
from rooms.standing import Standing
from topics import standing as topics_standing
from topics.models import Installation
from topics.people import Person, guest_of, of_user

pytestmark = pytest.mark.django_db

User = get_user_model()


@dataclass(eq=False)
class Tab:
    """An open socket."""

    room: Room
    person: Person
    session: str | None = None
    feed: Any = None

    @property
    def key(self) -> str:
        return self.person.key


@pytest.fixture
def room() -> Room:
    return Room.objects.enter("lobby")


@pytest.fixture
def alice(room: Room) -> Tab:
    return tab(room, "alice")


@pytest.fixture
def bob(room: Room) -> Tab:
    return tab(room, "bob")


@pytest.fixture
def carol(room: Room) -> Tab:
    return Tab(Room.objects.get(pk=room.pk), guest_of(None))


@pytest.fixture
def standing(alice: Tab, bob: Tab, carol: Tab) -> Standing:
    """Has seen all three, who may stay."""
    standing = Standing()
    assert judge(standing, alice, bob, carol) == Verdict({}, {})
    return standing


def tab(room: Room, name: str) -> Tab:
    user = User.objects.create_user(name, password="before")
    browser = Client()
    browser.force_login(user)
    return Tab(Room.objects.get(pk=room.pk), of_user(user), browser.cookies["sessionid"].value)


def judge(standing: Standing, *tabs: Any, doubted: bool = False) -> Verdict:
    return standing.judge(tabs, doubted)


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
def test_whose_session_or_account_has_ended_goes_and_the_others_stay(
    standing: Standing,
    alice: Tab,
    bob: Tab,
    carol: Tab,
    change: Callable[[Tab], None],
    told: Goodbye,
    doubted: bool,
) -> None:
    change(alice)
    assert judge(standing, alice, bob, carol, doubted=doubted) == Verdict({alice: told}, {})


def test_a_log_out_ends_that_session_and_no_other_of_the_same_person(alice: Tab, bob: Tab, carol: Tab) -> None:
    browser = Client()
    browser.force_login(User.objects.get(username="alice"))
    phone = Tab(alice.room, alice.person, browser.cookies["sessionid"].value)
    log_out(alice)
    assert judge(Standing(), alice, phone, bob).followers == {alice: LOGIN}


def test_a_password_that_changed_before_a_second_session_was_looked_at_ends_it_too(
    standing: Standing, alice: Tab, bob: Tab, carol: Tab
) -> None:
    browser = Client()
    browser.force_login(User.objects.get(username="alice"))
    late = Tab(alice.room, alice.person, browser.cookies["sessionid"].value)
    change_password(alice)
    assert judge(standing, alice, bob).followers == {alice: LOGIN}
    assert judge(standing, late, bob).followers == {late: LOGIN}


def test_a_new_log_in_is_no_reason_to_read_a_session(
    standing: Standing, alice: Tab, bob: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(username="alice").update(last_login=timezone.now())
    monkeypatch.setattr(topics_standing, "people_of", lambda sessions: pytest.fail("read"))
    assert judge(standing, alice, bob) == Verdict({}, {})


def test_everybody_costs_three_queries(
    standing: Standing, alice: Tab, bob: Tab, carol: Tab, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        judge(standing, *[alice, bob, carol] * 100)


def test_guests_alone_cost_the_rooms_query(carol: Tab, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert judge(Standing(), carol, carol) == Verdict({}, {})


def test_nothing_is_remembered_of_sessions_that_are_over_or_whose_sockets_have_gone(
    standing: Standing, alice: Tab, bob: Tab
) -> None:
    log_out(alice)
    judge(standing, alice, bob)
    assert list(standing._verified) == [bob.session]
    judge(standing)
    assert standing._verified == {}


def test_sessions_that_are_kept_elsewhere_are_judged_as_well(settings: Any, room: Room) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    cache.clear()
    alice, standing = tab(room, "alice"), Standing()
    assert judge(standing, alice) == Verdict({}, {})
    cache.clear()
    assert judge(standing, alice).followers == {alice: LOGIN}


# --- Rooms ---------------------------------------------------------------------------------------------


def test_a_room_that_is_gone_goes_with_everybody(standing: Standing, alice: Tab, carol: Tab, room: Room) -> None:
    other = Tab(Room.objects.enter("other"), guest_of(None))
    key = str(room.pk)
    room.delete()
    assert judge(standing, alice, carol, other) == Verdict({}, {key: NO_SUCH_ROOM})


def test_who_came_by_a_rooms_old_name_goes(standing: Standing, alice: Tab, carol: Tab, room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(name="parlour")
    dave = Tab(Room.objects.get(name="parlour"), guest_of(None))
    assert judge(standing, alice, carol, dave) == Verdict({alice: NO_SUCH_ROOM, carol: NO_SUCH_ROOM}, {})


def test_a_quiet_room_whose_log_is_another_one_starts_afresh(standing: Standing, carol: Tab, room: Room) -> None:
    Room.objects.filter(pk=room.pk).update(epoch=new_epoch())
    assert judge(standing, carol) == Verdict({}, {str(room.pk): RESTART})


# --- What is told at once ------------------------------------------------------------------------------


def test_a_room_that_was_made_by_what_was_said_and_whose_row_is_gone_is_gone(standing: Standing, carol: Tab) -> None:
    fresh = Room.objects.named("fresh")
    tab = Tab(fresh, carol.person, feed=SimpleNamespace(seq=0))
    assert standing.judge([tab], False) == ({}, {})
    tab.feed.seq = 1  # somebody has said something, and the row has been deleted by hand
    assert standing.judge([tab], False) == ({}, {str(fresh.pk): NO_SUCH_ROOM})


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


def test_what_happens_to_a_room_is_told(hub: Hub, commits: Any, room: Room) -> None:
    key = str(room.pk)
    with commits():
        Room.objects.enter("another")
    assert hub.doubts == []
    with commits():
        room.save()
    with commits():
        room.delete()
    assert hub.doubts == [{"room": key}, {"room": key}]


# --- Which installation this is ------------------------------------------------------------------------


def test_an_installation_has_one_name_until_it_is_given_another(capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    room = Room.objects.enter("lobby")
    name = Installation.identity()
    assert len(name) == 16
    assert Installation.identity() == name
    call_command("new_epoch")
    assert Installation.identity() not in {name, ""}
    assert Room.objects.get().epoch != room.epoch
    assert "new name" in capsys.readouterr().out

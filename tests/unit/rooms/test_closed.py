"""Rooms that are not open: who comes in, by whom, and how somebody gets out.

Alice owns one; bob and carol have accounts.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import leaving
from rooms import belonging, invitations, listing, making, membership, sweeping
from rooms.models import Invitation, Kind, Making, Member, Role, Room
from rooms.roles import role_of
from rooms.topics import Lobby, RoomTopic
from topics import Person, Refused
from topics.models import Log
from topics.people import FORMER, of_user

pytestmark = pytest.mark.django_db

TITLE = "Kitchen & garden"


class Someone:
    """With an account, and a browser."""

    def __init__(self, name: str) -> None:
        self.user: Any = get_user_model().objects.create_user(name)
        self.browser = Client()
        self.browser.force_login(self.user)

    @property
    def person(self) -> Person:
        return of_user(self.user)

    def sees(self, path: str) -> str:
        return unescape(self.browser.get(path).content.decode())

    def does(self, path: str, what: str, about: "Someone | None" = None, **more: Any) -> int:
        if about is not None:
            room = path.split("/")[2]
            more["member"] = Member.objects.get(room__name=room, user=about.user).pk
        return int(self.browser.post(path, {"do": what, **more}).status_code)


@pytest.fixture
def people() -> list[Someone]:
    return [Someone(name) for name in ("alice", "bob", "carol")]


@pytest.fixture
def room(people: list[Someone]) -> str:
    return making.make_closed(TITLE, people[0].person)


@pytest.fixture
def about(room: str) -> str:
    return f"/room/{room}/about/"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Who has been told what of her rooms, and who is asked about again."""
    heard: list[Any] = []

    def noted(lobby: Lobby, data: Any) -> None:
        if "rooms" in data:
            heard.append((lobby.person, data["rooms"]["joined"]))

    monkeypatch.setattr(Lobby, "signal", noted)
    monkeypatch.setattr(membership, "recheck", lambda user: heard.append((user.public_key, "asked")))
    return heard


# --- Making --------------------------------------------------------------------------------------------


def test_an_account_makes_a_closed_room_under_a_title_and_owns_it(people: list[Someone]) -> None:
    alice, bob, _ = people
    path = alice.browser.post("/", {"name": f"  {TITLE} ", "closed": "on"})["Location"]
    made = Room.objects.get()
    assert (made.kind, made.title, path) == (Kind.CLOSED, TITLE, f"/room/{made.name}/")
    assert role_of(made.name, alice.person) is Role.OWNER
    assert f"<title>{TITLE} · Rooms" in alice.sees(path).replace("\n", "")
    assert TITLE in alice.sees("/"), "though nothing was said in it"
    assert bob.browser.get(path).status_code == 404
    assert TITLE not in bob.sees("/")


def test_a_guest_makes_open_rooms_only_and_nobody_chooses_a_name_that_says_nothing() -> None:
    guest = Client()
    assert "closed" not in guest.get("/").content.decode().partition('id="lobby"')[0]
    assert guest.post("/", {"name": "teahouse", "closed": "on"})["Location"] == "/room/teahouse/"
    for name in ("~", "~a", "~" + 32 * "0"):
        assert guest.post("/", {"name": name}).status_code == 422
    for name in ("~", "~a", "~" + 32 * "g", "~" + 33 * "0"):
        assert guest.get(f"/room/{name}/").status_code == 404


@pytest.mark.parametrize("title", ["\u200b", "x" * 65, "a\u202eb"])
def test_a_title_can_be_seen(people: list[Someone], title: str) -> None:
    assert people[0].browser.post("/", {"name": title, "closed": "on"}).status_code == 422
    assert not Room.objects.exists()


def test_closed_and_direct_rooms_are_somebodys_share(people: list[Someone], settings: Any) -> None:
    alice = people[0]
    settings.ROOMS_PER_PERSON = 2
    alice.browser.post("/", {"name": TITLE, "closed": "on"})
    assert alice.browser.post("/direct/", {"name": "bob"}).status_code == 303
    assert alice.browser.post("/direct/", {"name": "carol"}).status_code == 429
    assert alice.browser.post("/", {"name": TITLE, "closed": "on"}).status_code == 429
    assert alice.browser.post("/direct/", {"name": "bob"}).status_code == 303, "which is there"


def test_what_is_said_makes_no_closed_room() -> None:
    with pytest.raises(Refused):
        RoomTopic(room="~" + 32 * "0").append({"body": "hi"})
    assert not Log.objects.exists()


def test_an_empty_closed_room_is_not_swept_away(room: str) -> None:
    Making.objects.update(at=timezone.now() - timedelta(days=8))
    sweeping.sweep()
    assert Room.objects.get().name == room


# --- Members and roles ---------------------------------------------------------------------------------


def test_owner_and_moderators_add_members_who_may_then_come_in(
    people: list[Someone], room: str, about: str, told: list[Any]
) -> None:
    alice, bob, carol = people
    assert alice.does(about, "add", name=" bob ") == 303
    assert bob.browser.get(f"/room/{room}/").status_code == 200
    assert bob.does(about, "add", name="carol") == 403
    assert alice.does(about, "moderate", bob) == 303
    assert bob.does(about, "add", name="carol") == 303
    assert told == [(one.person.public_key, True) for one in (bob, carol)]
    assert [role_of(room, one.person) for one in people] == [Role.OWNER, Role.MODERATOR, Role.MEMBER]
    assert re.findall(r'<b dir="auto">(\w+)</b>', carol.sees(about).partition("<h2>")[2]) == ["alice", "bob", "carol"]
    assert "Add somebody" not in carol.sees(about)


def test_somebody_who_is_not_there_or_may_not_log_in_is_not_added(people: list[Someone], about: str) -> None:
    alice, bob, _ = people
    bob.user.is_active = False
    bob.user.save()
    for name in ("nobody", "bob", "", "a\0b"):
        assert alice.does(about, "add", name=name) == 422
    assert Member.objects.count() == 1


def test_a_removed_member_is_told_asked_about_again_and_finds_nothing(
    people: list[Someone], room: str, about: str, told: list[Any]
) -> None:
    alice, bob, _ = people
    membership.add(room, bob.user)
    RoomTopic(room=room).append({"body": "kettle"}, by=alice.user)
    Lobby.read(RoomTopic(room=room), bob.user, 0)
    assert TITLE in bob.sees("/search/?q=kettle")
    told.clear()
    assert alice.does(about, "remove", bob) == 303
    assert told == [(bob.person.public_key, False), (bob.person.public_key, "asked")]
    for path in ("/", "/rooms/", "/search/?q=kettle", f"/room/{room}/", about):
        assert TITLE not in bob.sees(path)
    assert listing.listing(bob.person).own == []


MAY: list[tuple[int, str, int, int]] = [
    # who (alice owns, bob moderates, carol is a member), what, about whom, and the answer
    (1, "remove", 0, 403),
    (1, "remove", 2, 303),
    (1, "moderate", 2, 403),
    (1, "hand_on", 1, 403),
    (2, "remove", 1, 403),
    (2, "moderate", 2, 403),
    (2, "hand_on", 2, 403),
    (0, "remove", 1, 303),
    (0, "remove", 0, 403),
    (0, "unmoderate", 1, 303),
    (0, "hand_on", 2, 303),
    (0, "nonsense", 1, 403),
]


@pytest.mark.parametrize(("who", "what", "whom", "answer"), MAY)
def test_each_does_what_her_part_allows(
    people: list[Someone], room: str, about: str, who: int, what: str, whom: int, answer: int
) -> None:
    _, bob, carol = people
    membership.add(room, bob.user, Role.MODERATOR)
    membership.add(room, carol.user)
    before = dict(Member.objects.values_list("user__username", "role"))
    assert people[who].does(about, what, people[whom]) == answer
    after = dict(Member.objects.values_list("user__username", "role"))
    assert (before == after) is (answer != 303)


def test_a_room_is_handed_on_before_its_owner_leaves(people: list[Someone], room: str, about: str) -> None:
    alice, bob, _ = people
    membership.add(room, bob.user)
    assert alice.does(about, "leave") == 403
    assert alice.does(about, "hand_on", bob) == 303
    assert [role_of(room, one.person) for one in people] == [Role.MODERATOR, Role.OWNER, None]
    assert alice.does(about, "leave") == 303
    assert alice.browser.get(about).status_code == 404
    RoomTopic(room=room).append({"body": "alone"}, by=bob.user)
    assert "deleted with all" in bob.sees(about)
    assert bob.does(about, "leave") == 303
    assert not Room.objects.exists()
    assert not Log.objects.exists()


def test_a_room_holds_so_many_members_and_no_more(
    people: list[Someone], room: str, about: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "MOST", 2)
    assert people[0].does(about, "add", name="bob") == 303
    assert people[0].does(about, "add", name="carol") == 409
    assert people[0].does(about, "add", name="bob") == 303, "who is there"


def test_an_open_room_has_moderators_whom_its_owner_or_the_staff_appoint(people: list[Someone]) -> None:
    alice, bob, carol = people
    making.make("teahouse", alice.person)
    RoomTopic(room="parlour").append({"body": "hi"})
    assert bob.does("/room/teahouse/about/", "add", name="bob") == 403
    assert alice.does("/room/teahouse/about/", "add", name="bob") == 303
    assert role_of("teahouse", bob.person) is Role.MODERATOR
    assert bob.does("/room/teahouse/about/", "add", name="carol") == 403
    assert bob.does("/room/teahouse/about/", "leave") == 303
    assert Room.objects.filter(name="teahouse").exists()
    carol.user.is_staff = True
    carol.user.save()
    assert carol.does("/room/parlour/about/", "add", name="bob") == 303
    assert Client().get("/room/parlour/about/").status_code == 200
    assert Client().get("/room/nowhere/about/").status_code == 200
    assert Client().post("/room/parlour/about/", {"do": "add", "name": "bob"}).status_code == 403


def test_who_deletes_her_account_leaves_her_rooms_and_the_longest_there_inherits(
    people: list[Someone], room: str
) -> None:
    alice, bob, carol = people
    for one in (carol, bob):
        membership.add(room, one.user)
    other = making.make_direct(alice.person, bob.user)
    RoomTopic(room=other).append({"body": "hi"}, by=alice.user)
    alone = making.make_closed("Diary", alice.person)
    leaving.leave(alice.user)
    assert [role_of(room, one.person) for one in people] == [None, Role.MEMBER, Role.OWNER]
    assert role_of(other, bob.person) is Role.MEMBER
    assert belonging.title_of(other, bob.person) == FORMER
    assert "hi" in bob.sees(f"/room/{other}/")
    assert not Room.objects.filter(name=alone).exists()


# --- Two people ----------------------------------------------------------------------------------------


def test_two_people_have_one_room_that_each_finds_under_the_others_name(people: list[Someone]) -> None:
    alice, bob, carol = people
    assert "Write to somebody" in alice.sees("/direct/?name=bob"), "looking makes nothing"
    assert not Room.objects.exists()
    path = alice.browser.post("/direct/", {"name": "bob"})["Location"]
    assert bob.browser.get("/direct/", {"name": "alice"})["Location"] == path
    assert bob.browser.post("/direct/", {"name": "alice"})["Location"] == path
    assert 'href="' + path not in bob.sees("/"), "nothing was said yet"
    alice.browser.post(path, {"body": "psst"})
    assert "<title>(1) Rooms" in bob.sees("/")
    assert re.findall(rf'href="{path}".*?class="name" dir="auto">(\w+)<', bob.sees("/"), re.DOTALL) == ["alice"]
    assert ">bob</a></h1>" in alice.sees(path)
    assert carol.browser.get(path).status_code == 404
    for what in ("leave", "add", "invite", "hand_on"):
        assert alice.does(f"{path}about/", what, bob, name="carol") == 403
    assert Member.objects.count() == 2


def test_nobody_writes_to_herself_or_without_an_account(people: list[Someone]) -> None:
    assert people[0].browser.post("/direct/", {"name": "alice"}).status_code == 422
    assert Client().get("/direct/?name=alice")["Location"] == "/accounts/login/?next=/direct/%3Fname%3Dalice"


# --- Invitations ---------------------------------------------------------------------------------------


@pytest.fixture
def invite(people: list[Someone], about: str) -> Callable[..., str]:
    def invite(by: int = 0, **wanted: Any) -> str:
        page = people[by].browser.post(about, {"do": "invite", "lasts": "week", **wanted}).content.decode()
        return re.findall(r'value="http://testserver(/join/[\w-]+/)"', page)[0]

    return invite


def test_a_link_makes_one_a_member_and_stands_in_no_row(
    people: list[Someone], room: str, invite: Callable[..., str]
) -> None:
    bob, link = people[1], invite()
    assert '<option value="week" selected>' in people[0].sees(f"/room/{room}/about/"), "unless somebody says otherwise"
    assert link.split("/")[2] not in str(list(Invitation.objects.values()))
    assert "alice invites you to this room, which has 1 member." in bob.sees(link)
    assert role_of(room, bob.person) is None, "looking joins nothing"
    assert bob.browser.post(link)["Location"] == f"/room/{room}/"
    assert role_of(room, bob.person) is Role.MEMBER
    assert bob.browser.get(link)["Location"] == f"/room/{room}/"


def test_a_guest_makes_an_account_first_and_comes_back_by_the_link(room: str, invite: Callable[..., str]) -> None:
    link, guest = invite(), Client()
    page = guest.get(link).content.decode()
    for place in ("login", "sign-up"):
        assert f'href="/accounts/{place}/?next={link}"' in page
    assert guest.post(link).status_code == 200
    assert Member.objects.count() == 1
    form = {"username": "dora", "password1": "correct horse 1", "password2": "correct horse 1", "next": link}
    assert guest.post("/accounts/sign-up/", form)["Location"] == link
    assert guest.post(link)["Location"] == f"/room/{room}/"


def test_a_link_is_not_found_when_it_has_expired_is_used_up_or_revoked(
    people: list[Someone], about: str, invite: Callable[..., str]
) -> None:
    alice, bob, carol = people
    expired, revoked, once = invite(lasts="day"), invite(lasts=""), invite(uses="1")
    Invitation.objects.filter(pk=1).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert alice.does(about, "revoke", invitation=2) == 303
    assert bob.browser.post(once).status_code == 303
    for link in (expired, revoked, once, "/join/x/"):
        assert carol.browser.get(link).status_code == 404
        assert carol.browser.post(link).status_code == 404
    assert sorted(Member.objects.values_list("user__username", flat=True)) == ["alice", "bob"]


def test_who_is_in_already_uses_nothing_up(people: list[Someone], room: str, invite: Callable[..., str]) -> None:
    secret = invite(uses="1").split("/")[2]
    invitations.accept(secret, people[0].user)
    assert invitations.accept(secret, people[1].user) == room
    with pytest.raises(Refused):
        invitations.accept(secret, people[2].user)


def test_who_keeps_order_no_more_has_invited_nobody_any_more(
    people: list[Someone], room: str, about: str, invite: Callable[..., str]
) -> None:
    alice, bob, carol = people
    membership.add(room, bob.user)
    assert bob.does(about, "invite", lasts="week") == 403
    alice.does(about, "moderate", bob)
    first = invite(by=1)
    alice.does(about, "unmoderate", bob)
    alice.does(about, "moderate", bob)
    second = invite(by=1)
    alice.does(about, "remove", bob)
    assert [carol.browser.get(link).status_code for link in (first, second)] == [404, 404]


def test_a_room_has_so_many_invitations(
    people: list[Someone], about: str, invite: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST", 1)
    invite()
    assert people[0].does(about, "invite", lasts="week") == 409
    Invitation.objects.update(expires_at=timezone.now())
    invite()
    assert Invitation.objects.count() == 1
    assert people[0].does(about, "invite", lasts="year") == 422
    assert people[0].does(about, "invite", lasts="day", uses="0") == 422


# --- What it costs -------------------------------------------------------------------------------------


def test_mentions_reach_members_alone(people: list[Someone], room: str) -> None:
    alice, bob, carol = people
    membership.add(room, bob.user)
    said = RoomTopic(room=room).said({"body": "@bob @carol"}, alice.person)
    assert said["mentions"] == [bob.person.public_key]
    given = [carol.person.public_key, bob.person.public_key]
    assert RoomTopic(room=room).said({"body": "@bob", "mentions": given}, alice.person)["mentions"] == [
        bob.person.public_key
    ]
    assert len(RoomTopic(room="open").said({"body": "@bob @carol"}, alice.person)["mentions"]) == 2


def test_many_closed_rooms_cost_a_page_no_more_than_one(people: list[Someone]) -> None:
    alice, bob, _ = people

    def queries() -> int:
        alice.sees("/")
        with CaptureQueriesContext(connection) as asked:
            alice.sees("/")
        return len(asked)

    for number in range(6):
        name = making.make_closed(f"Room {number}", alice.person)
        RoomTopic(room=name).append({"body": "hi"})
        if number == 0:
            making.make_direct(alice.person, bob.user)
            first = queries()
    assert queries() == first

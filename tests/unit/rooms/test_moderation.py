"""Who keeps order in a room, and what that does to whoever disturbs it, on pages without JavaScript."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from rooms.models import Member, Role, Room
from rooms.moderation import force, hiding, reports, verbs
from rooms.moderation.models import Action, Restriction
from rooms.topics import RoomTopic
from topics import Person, Refused
from topics.models import Entry
from topics.people import of_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TEAHOUSE = RoomTopic(room="teahouse")
EVE = Person("guest:eve", "Eve", guest=True, address="8.8.4.4")


@pytest.fixture
def alice(alice: Client) -> Client:
    """She owns the teahouse."""
    user = User.objects.create_user("alice")
    alice.force_login(user)
    room = Room.objects.create(name="teahouse")
    Member.objects.create(room=room, user=user, role=Role.OWNER)
    return alice


@pytest.fixture
def owner(alice: Client) -> Person:
    return of_user(User.objects.get(username="alice"))


def say(client: Client, body: str, name: str = "teahouse") -> Any:
    return client.post(f"/room/{name}/", {"body": body})


def guest(client: Client) -> Person:
    """Bob, who has been here once."""
    client.get("/")
    say(client, "rubbish")
    entry = Entry.objects.filter(guest=True).latest("pk")
    return Person(entry.author, entry.name, guest=True)


def do(client: Client, what: str, seq: int = 1, name: str = "teahouse", **fields: Any) -> Any:
    return client.post(f"/room/{name}/{seq}/about/", {"do": what, **fields})


def keep(client: Client, what: str, room: str = "teahouse", **fields: Any) -> Any:
    return client.post(f"/room/{room}/order/", {"do": what, **fields})


# --- Messages --------------------------------------------------------------------------------------------


def test_a_moderator_removes_a_message_and_its_words_are_nowhere(alice: Client, bob: Client) -> None:
    whom = guest(bob)
    assert do(alice, "remove", reason="spam").status_code == 303
    assert "rubbish" not in bob.get("/room/teahouse/").text
    assert not Entry.objects.filter(data__contains="rubbish").exists()
    done = Action.objects.get()
    assert (done.verb, done.key, done.seq, done.reason, done.by_whom) == ("remove", whom.key, 1, "spam", "alice")
    assert whom.name in alice.get("/room/teahouse/order/").text


def test_nobody_else_removes_it_or_sees_how_order_is_kept(alice: Client, bob: Client) -> None:
    guest(bob)
    assert do(bob, "remove").status_code == 403
    assert do(bob, "ban", minutes="60").status_code == 403
    assert "Ban" not in bob.get("/room/teahouse/1/about/").text
    assert bob.get("/room/teahouse/order/").status_code == 404
    assert keep(bob, "close").status_code == 404
    assert not Action.objects.exists()


def test_staff_keeps_order_in_every_room(bob: Client, client: Client) -> None:
    guest(bob)
    client.force_login(User.objects.create_user("sam", is_staff=True))
    assert do(client, "remove").status_code == 303
    assert Action.objects.get().by_whom == "sam"


# --- People ----------------------------------------------------------------------------------------------


def test_who_is_muted_reads_why_and_says_nothing(alice: Client, bob: Client) -> None:
    guest(bob)
    do(alice, "mute", minutes="10", reason="calm down")
    page = bob.get("/room/teahouse/")
    assert page.status_code == 200
    assert "You are muted in this room until" in page.text
    refused = say(bob, "more rubbish")
    assert refused.status_code == 403
    assert "calm down" in refused.text
    assert "more rubbish" in refused.text
    assert bob.post("/room/teahouse/1/", {"body": "worse"}).status_code == 403
    assert TEAHOUSE.position().seq == 1


def test_a_mute_ends_by_itself_or_when_it_is_lifted(alice: Client, bob: Client) -> None:
    guest(bob)
    do(alice, "mute", minutes="10")
    Restriction.objects.update(until=timezone.now())
    assert say(bob, "again").status_code == 303
    do(alice, "mute", minutes="1440")
    assert say(bob, "and again").status_code == 403
    assert keep(alice, "lift", which=Restriction.objects.get().pk).status_code == 303
    assert say(bob, "and again").status_code == 303
    assert [one.verb for one in Action.objects.order_by("pk")] == ["mute", "mute", "unmute"]


def test_who_is_banned_does_not_read_either_and_keeps_what_she_wrote(alice: Client, bob: Client) -> None:
    guest(bob)
    do(alice, "ban", minutes="", reason="enough")
    for address in ("/room/teahouse/", "/room/teahouse/1/about/", "/room/teahouse/search/?q=rubbish"):
        page = bob.get(address)
        assert page.status_code == 403, address
        assert "You are banned from this room. Reason: enough" in page.text
    refused = say(bob, "but listen")
    assert refused.status_code == 403
    assert "but listen" in refused.text
    assert "teahouse" not in bob.get("/").text.partition("Other rooms")[0]
    assert "rubbish" not in bob.get("/search/?q=rubbish").text.partition('class="found"')[2]


def test_nobody_mutes_who_keeps_order_herself(alice: Client, owner: Person) -> None:
    carol = User.objects.create_user("carol")
    Member.objects.create(room=Room.objects.get(), user=carol, role=Role.MODERATOR)
    with pytest.raises(Refused, match="keeps order"):
        verbs.mute("teahouse", of_user(carol), owner, DAY)
    with pytest.raises(Refused, match="keeps order"):
        verbs.ban("teahouse", owner, of_user(carol))


def test_a_banned_account_is_no_member_any_more(owner: Person) -> None:
    carol = User.objects.create_user("carol")
    Member.objects.create(room=Room.objects.get(), user=carol)
    verbs.ban("teahouse", of_user(carol), owner, DAY)
    assert not Member.objects.filter(user=carol).exists()


@pytest.mark.parametrize(("address", "barred"), [("8.8.4.4", True), ("2606:4700::/64", True), ("172.17.0.1", False)])
def test_a_banned_guest_does_not_come_back_by_another_cookie(owner: Person, address: str, barred: bool) -> None:
    eve = Person("guest:eve", "Eve", guest=True, address=address)
    again = Person("guest:other", "Adam", guest=True, address=address)
    account = Person("user:77", "carol", guest=False, user_id=77, address=address)
    verbs.ban("teahouse", eve, owner, DAY)
    assert force.now("teahouse").is_news_of(eve) is barred
    with pytest.raises(Refused, match="banned"):
        async_to_sync(TEAHOUSE.may)(eve, "read")
    assert (force.now("teahouse").refusal(again, "read") is not None) is barred
    assert force.now("teahouse").refusal(account, "read") is None
    verbs.lift("teahouse", Restriction.objects.get().pk, owner)
    assert force.now("teahouse") == force.NOTHING


def test_somebody_is_banned_by_name_who_has_said_nothing(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("carol")
    assert keep(alice, "restrict", who="nobody at all", kind="ban", minutes="60").status_code == 422
    assert keep(alice, "restrict", who="carol", kind="ban", minutes="60").status_code == 303
    assert keep(alice, "restrict", who="carol", kind="mute", minutes="").status_code == 422
    monkeypatch.setattr(RoomTopic, "members", lambda topic, limit: [EVE])
    assert keep(alice, "restrict", who="Eve", kind="mute", minutes="60").status_code == 303
    assert {(row.kind, row.who) for row in Restriction.objects.all()} == {("ban", "carol"), ("mute", "Eve")}


# --- The room --------------------------------------------------------------------------------------------


def test_a_room_is_read_only_until_it_is_opened_again(alice: Client, bob: Client) -> None:
    guest(bob)
    keep(alice, "close", reason="done")
    assert say(bob, "and yet").status_code == 403
    assert say(alice, "me neither").status_code == 403
    assert "Nobody may write" in bob.get("/room/teahouse/").text
    keep(alice, "reopen")
    assert say(bob, "and yet").status_code == 303


def test_in_slow_mode_each_says_one_thing_at_a_time(alice: Client, bob: Client) -> None:
    guest(bob)
    keep(alice, "slow", seconds="300")
    assert say(bob, "one").status_code == 303
    refused = say(bob, "two")
    assert refused.status_code == 429
    assert "one message every 300 seconds" in refused.text
    assert [say(alice, words).status_code for words in ("I", "may")] == [303, 303]
    assert bob.post("/room/teahouse/2/", {"body": "one!"}).status_code == 303


def test_a_room_with_another_name_is_found_by_the_old_one(alice: Client, bob: Client) -> None:
    guest(bob)
    assert keep(alice, "rename", name="tea garden")["Location"] == "/room/tea-garden/order/"
    answer = bob.get("/room/teahouse/")
    assert (answer.status_code, answer["Location"]) == (302, "/room/tea-garden/")
    assert "rubbish" in bob.get("/room/tea-garden/").text
    refused = say(bob, "for the old one")
    assert "is called tea-garden by now" in refused.text
    assert not Room.objects.filter(name="teahouse").exists()


def test_no_room_takes_the_name_of_another(alice: Client, owner: Person) -> None:
    Room.objects.create(name="library")
    for name in ("library", "a/b"):
        with pytest.raises(Refused):
            verbs.rename("teahouse", name, owner)
    assert verbs.rename("teahouse", "garden", owner) == "garden"
    assert verbs.rename("garden", "teahouse", owner) == "teahouse"
    assert force.called_now("garden") == "teahouse"
    assert force.called_now("teahouse") is None


# --- What others find --------------------------------------------------------------------------------------


def test_anybody_reports_a_message_once_and_moderators_look_at_it(alice: Client, bob: Client, client: Client) -> None:
    guest(bob)
    client.get("/")
    assert do(client, "report", reason="").status_code == 422
    assert do(client, "report", reason="spam").status_code == 303
    assert do(client, "report", reason="spam!").status_code == 409
    assert do(client, "report", seq=7, reason="what?").status_code == 404
    assert "1 report" in alice.get("/room/teahouse/").text
    assert "1 report" not in bob.get("/room/teahouse/").text
    page = alice.get("/room/teahouse/order/").text
    assert "spam" in page
    assert "rubbish" in page
    keep(alice, "dismiss", seq=1)
    assert reports.waiting("teahouse") == 0
    assert "rubbish" in bob.get("/room/teahouse/").text


def test_what_is_removed_is_reported_no_more(alice: Client, bob: Client, client: Client) -> None:
    guest(bob)
    do(client, "report", reason="spam")
    keep(alice, "remove", seq=1)
    assert reports.queue("teahouse") == []
    assert do(client, "report", reason="again").status_code == 422


def test_reports_are_bounded(alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    guest(bob)
    monkeypatch.setattr(reports, "MOST", 0)
    assert do(client, "report", reason="spam").status_code == 429


# --- For oneself -------------------------------------------------------------------------------------------


def test_a_reader_hides_somebody_for_herself_alone(alice: Client, bob: Client, client: Client) -> None:
    whom = guest(bob)
    client.get("/")
    for reader in (client, alice):
        assert do(reader, "hide").status_code == 303
        assert 'class="message hue-' in reader.get("/room/teahouse/").text
        assert " hushed" in reader.get("/room/teahouse/").text
    assert " hushed" not in bob.get("/room/teahouse/").text
    assert do(bob, "hide").status_code == 422
    owner = of_user(User.objects.get(username="alice"))
    assert hiding.of_account(owner) == {whom.public_key}
    for reader in (client, alice):
        assert do(reader, "show").status_code == 303
        assert " hushed" not in reader.get("/room/teahouse/").text


def test_the_menu_comes_as_a_part_for_the_page(alice: Client, bob: Client) -> None:
    guest(bob)
    part = alice.get("/room/teahouse/1/about/?part").text
    assert "<html" not in part
    assert all(words in part for words in ("Report", "Hide this person", "Remove", "Mute", "Ban"))
    done = alice.post("/room/teahouse/1/about/?part", {"do": "hide"})
    assert done.status_code == 200
    assert f'data-hidden="{guest(bob).public_key}"' in done.text


# --- By staff, in the admin --------------------------------------------------------------------------------


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def acts(staff: Client, model: str, action: str, *rows: Any) -> Any:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return staff.post(f"/admin/rooms/{model}/", chosen, follow=True)


def test_staff_looks_at_reports_of_all_rooms(alice: Client, bob: Client, staff: Client) -> None:
    guest(bob)
    do(alice, "report", reason="spam")
    assert "spam" in staff.get("/admin/rooms/report/").text
    acts(staff, "report", "remove", reports.Report.objects.get())
    assert TEAHOUSE.events()[0].retracted
    assert reports.waiting("teahouse") == 0
    assert Action.objects.get().by_whom == "root"
    assert "remove" in staff.get("/admin/rooms/action/").text


def test_staff_closes_rooms_and_bans_accounts(alice: Client, bob: Client, staff: Client) -> None:
    room, carol = Room.objects.get(), User.objects.create_user("carol")
    acts(staff, "room", "close", room)
    assert say(bob, "hello").status_code == 403
    acts(staff, "room", "reopen", room)
    assert say(bob, "hello").status_code == 303
    form = {"room": room.pk, "user": carol.pk, "kind": "ban", "until_0": "", "until_1": "", "reason": "spam"}
    assert staff.post("/admin/rooms/restriction/add/", form).status_code == 302
    assert force.now("teahouse").refusal(of_user(carol), "read") is not None
    form["user"] = User.objects.get(username="alice").pk
    refused = staff.post("/admin/rooms/restriction/add/", form, follow=True)
    assert "keeps order here herself" in refused.text
    acts(staff, "restriction", "lift", Restriction.objects.get())
    assert force.now("teahouse") == force.NOTHING
    assert [one.verb for one in Action.objects.order_by("pk")] == ["close", "reopen", "ban", "unban"]

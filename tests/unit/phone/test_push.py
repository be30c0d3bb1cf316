"""What is pushed to bob's phone, and what is not. Alice talks, carol is a guest."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from phone import levels, posting, sending
from phone.looking import Finder
from phone.models import Due, Level, Subscription
from rooms import making
from rooms.models import Room
from rooms.moderation import verbs
from rooms.moderation.models import Hidden
from rooms.topics import Lobby, RoomTopic
from servers.push import PushService
from topics import Person
from topics.people import of_user
from unit.phone.conftest import browser

pytestmark = pytest.mark.django_db

LUNCH = RoomTopic(room="午饭")
CAROL = Person("guest:c", "Carol", guest=True)


def send() -> None:
    """As a process does every two seconds."""
    Finder().look()
    sending.send_next()


def say(by: Person, body: str, **more: Any) -> int:
    return LUNCH.append(LUNCH.said({"body": body, **more}, by), by=by).seq


def test_a_mention_is_pushed_with_the_room_and_who_and_no_words(
    phone: Client, alice: Person, service: PushService
) -> None:
    say(alice, "soup today")
    seq = say(alice, "@bob the secret soup?")
    send()
    [push] = service.pushes
    assert push.told["title"] == "午饭"
    assert push.told["body"] == "alice mentioned you"
    assert push.told["url"] == f"/room/%E5%8D%88%E9%A5%AD/?at={seq}#m{seq}"
    assert "secret" not in str(push.told)
    assert (push.headers["Urgency"], push.headers["Content-Encoding"]) == ("high", "aes128gcm")
    assert int(push.headers["TTL"]) >= 7 * 24 * 3600
    assert 0 < len(push.headers["Topic"]) <= 32
    assert push.size < 1_000
    send()
    assert len(service.pushes) == 1
    assert phone.get(push.told["url"].partition("#")[0]).status_code == 200


def test_the_words_are_pushed_to_who_has_chosen_that(phone: Client, alice: Person, service: PushService) -> None:
    phone.post("/push/", service.subscription() | {"words": "1"})
    say(alice, "@bob soup?\n" + "long " * 700)
    send()
    [push] = service.pushes
    assert push.told["body"].startswith("alice mentioned you\n@bob soup? long")
    assert push.size < 1_000


def test_ten_mentions_are_one_notification(phone: Client, alice: Person, service: PushService) -> None:
    for number in range(10):
        last = say(alice, f"@bob {number}")
    send()
    [push] = service.pushes
    assert push.told["body"] == "10 mentions of you, the last by alice"
    assert push.told["url"].endswith(f"?at={last}#m{last}")
    say(CAROL, "@bob once more")
    send()
    assert service.pushes[1].headers["Topic"] == push.headers["Topic"]
    assert service.pushes[1].told["tag"] == push.told["tag"]


def test_nothing_is_pushed_of_what_bob_has_read_or_said_himself(
    phone: Client, alice: Person, bob: Person, service: PushService
) -> None:
    seq = say(alice, "@bob")
    Finder().look()
    Lobby.read(LUNCH, bob, seq)
    say(bob, "@bob to myself")
    send()
    assert service.pushes == []
    assert not Due.objects.exists()


def test_nothing_is_pushed_of_a_mention_that_was_removed_or_taken_back(
    phone: Client, alice: Person, service: PushService
) -> None:
    first, second = say(alice, "@bob"), say(alice, "@bob again")
    Finder().look()
    LUNCH.retract(first, by=alice)
    LUNCH.edit(second, "nothing", alice)
    send()
    assert service.pushes == []


def test_bob_is_told_nothing_of_whom_he_hides(phone: Client, alice: Person, bob: Person, service: PushService) -> None:
    Hidden.objects.create(user_id=bob.user_id, key=alice.public_key)
    say(alice, "@bob")
    send()
    assert (service.pushes, Due.objects.count()) == ([], 0)
    say(CAROL, "@bob")
    send()
    assert [push.told["body"] for push in service.pushes] == ["Carol mentioned you"]


def test_who_is_banned_meanwhile_is_told_nothing(
    phone: Client, alice: Person, bob: Person, service: PushService
) -> None:
    say(alice, "@bob")
    Finder().look()
    staff = User.objects.create_user("staff", is_staff=True)
    verbs.ban("午饭", bob, of_user(staff))
    send()
    assert (service.pushes, Due.objects.count()) == ([], 0)


@pytest.mark.parametrize(("level", "heard"), [("all", 2), ("mentions", 1), ("nothing", 0)])
def test_bob_chooses_of_what_he_is_told_in_a_room(
    phone: Client, alice: Person, service: PushService, level: str, heard: int
) -> None:
    say(alice, "hello")
    answer = phone.post("/room/午饭/notify/", {"level": level})
    assert answer.status_code == 303
    assert f'value="{level}" checked' in phone.get(answer.url).content.decode()
    assert phone.get("/push/").json()["levels"] == {"room/午饭": level}
    say(alice, "@bob soup")
    send()
    say(CAROL, "hello again")
    send()
    assert len(service.pushes) == heard
    assert {push.told["body"] for push in service.pushes} <= {"alice mentioned you"}


def test_who_wants_all_is_told_of_what_is_said_as_well(phone: Client, alice: Person, service: PushService) -> None:
    say(alice, "hello")
    phone.post("/room/午饭/notify/", {"level": "all"})
    say(CAROL, "hello again")
    send()
    [push] = service.pushes
    assert push.told["body"] == "2 messages, the last from Carol"
    assert push.headers["Urgency"] == "normal"


def test_a_level_is_one_of_three_and_somebodys(phone: Client, settings: Any) -> None:
    assert phone.post("/room/午饭/notify/", {"level": "some"}).status_code == 400
    assert Client().post("/room/午饭/notify/", {"level": "all"}).status_code == 422
    settings.ROOMS_PER_PERSON = 1
    assert phone.post("/room/午饭/notify/", {"level": "all"}).status_code == 303
    assert phone.post("/room/another/notify/", {"level": "all"}).status_code == 422
    assert [level.room.name for level in Level.objects.all()] == ["午饭"]


def test_a_guest_is_told_as_well_until_her_cookie_is_too_old(alice: Person, service: PushService) -> None:
    carol = Client()
    carol.get("/")
    carol.post("/name/", {"name": "Carol", "next": "/"})
    assert carol.post("/push/", service.subscription()).status_code == 204
    [kept] = Subscription.objects.all()
    say(alice, "@Carol", mentions=[kept.public_key])
    send()
    assert [push.told["body"] for push in service.pushes] == ["alice mentioned you"]
    Subscription.objects.update(seen_at=timezone.now() - timedelta(days=31))
    say(alice, "@Carol", mentions=[kept.public_key])
    send()
    assert len(service.pushes) == 1
    assert not Subscription.objects.exists()


def test_who_logs_out_is_told_nothing_more(phone: Client, alice: Person, service: PushService) -> None:
    phone.post("/accounts/logout/")
    assert not Subscription.objects.exists()


def test_a_session_that_is_ended_elsewhere_is_told_nothing_more(
    phone: Client, alice: Person, service: PushService
) -> None:
    browser("bob").post("/accounts/sessions/end/")
    say(alice, "@bob")
    phone.session.flush()
    send()
    assert service.pushes == []
    assert not Subscription.objects.exists()


def test_of_who_deletes_the_account_nothing_is_kept(phone: Client, alice: Person) -> None:
    say(alice, "hello")
    phone.post("/room/午饭/notify/", {"level": "all"})
    assert phone.post("/accounts/delete/", {"password": "correct horse"}).status_code == 200
    assert not Subscription.objects.exists()
    assert not Level.objects.exists()


def test_a_browser_that_changes_hands_is_told_nothing_of_who_had_it(
    phone: Client, alice: Person, service: PushService
) -> None:
    say(alice, "@bob")
    Finder().look()
    phone.post("/accounts/logout/")
    phone.post("/accounts/login/", {"username": "alice", "password": "correct horse"})
    phone.post("/push/", service.subscription())
    send()
    assert service.pushes == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(phone: Client, alice: Person, service: PushService, status: int) -> None:
    service.status = status
    say(alice, "@bob")
    send()
    assert not Subscription.objects.exists()
    assert not Due.objects.exists()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_away_is_asked_again(phone: Client, alice: Person, service: PushService, status: int) -> None:
    service.status, service.headers = status, {"Retry-After": "120"}
    say(alice, "@bob")
    send()
    [due] = Due.objects.all()
    assert timedelta(seconds=110) < due.next_at - timezone.now() < timedelta(seconds=130)
    service.status = 201
    Due.objects.update(next_at=timezone.now())
    sending.send_next()
    assert len(service.pushes) == 2
    assert not Due.objects.exists()


def test_a_refusal_is_not_asked_again_and_no_redirect_is_followed(
    phone: Client, alice: Person, service: PushService
) -> None:
    service.status, service.headers = 302, {"Location": "/elsewhere"}
    say(alice, "@bob")
    send()
    assert [push.path for push in service.pushes] == ["/a"]
    assert not Due.objects.exists()


def test_what_comes_while_a_push_is_on_its_way_is_told_next(
    phone: Client, alice: Person, service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(alice, "@bob")
    Finder().look()
    post = posting.post

    def meanwhile(letters: Any) -> Any:
        answers = post(letters)
        say(alice, "@bob, another")
        Finder().look()
        return answers

    monkeypatch.setattr(posting, "post", meanwhile)
    sending.send_next()
    monkeypatch.setattr(posting, "post", post)
    Due.objects.update(next_at=timezone.now())
    sending.send_next()
    assert [push.told["body"] for push in service.pushes] == [
        "alice mentioned you",
        "2 mentions of you, the last by alice",
    ]


def test_a_process_that_ends_between_finding_and_sending_loses_nothing_and_finds_nothing_twice(
    phone: Client, alice: Person, service: PushService
) -> None:
    say(alice, "@bob")
    Finder().look()
    Finder().look()
    assert sending.claim()  # and then it is killed
    Due.objects.update(next_at=timezone.now())
    sending.send_next()
    assert len(service.pushes) == 1


def test_bob_has_ten_browsers_at_most(phone: Client, bob: Person, service: PushService) -> None:
    for number in range(12):
        assert phone.post("/push/", service.subscription(f"/{number}")).status_code == 204
    assert Subscription.objects.count() == 10
    assert not Subscription.objects.filter(endpoint__endswith="/0").exists()
    phone.post("/push/end/", {"endpoint": service.subscription("/11")["endpoint"]})
    assert Subscription.objects.count() == 9


def test_nobody_ends_what_is_somebody_elses(phone: Client, alice: Person, service: PushService) -> None:
    browser("alice").post("/push/end/", service.subscription())
    assert Subscription.objects.exists()


def test_without_a_key_of_the_sites_no_browser_is_kept(phone: Client, service: PushService, settings: Any) -> None:
    settings.VAPID_KEY = ""
    assert phone.get("/push/").json()["key"] == ""
    assert phone.post("/push/", service.subscription("/b")).status_code == 422


def test_what_is_said_in_a_room_of_two_is_told_as_well(
    phone: Client, alice: Person, bob: Person, service: PushService
) -> None:
    room = Room.objects.get(name=making.make_direct(alice, User.objects.get(pk=bob.user_id)))
    topic = RoomTopic(room=room.name)
    topic.append({"body": "between us"}, by=alice)
    send()
    [push] = service.pushes
    assert (push.told["title"], push.told["body"]) == ("alice", "A message from alice")
    assert push.headers["Urgency"] == "high"
    assert phone.get("/push/").json()["levels"] == {topic.name: "all"}
    levels.choose(room, bob, "nothing")
    topic.append({"body": "another"}, by=alice)
    send()
    assert len(service.pushes) == 1


def test_a_room_that_gets_another_name_keeps_the_levels(phone: Client, alice: Person) -> None:
    say(alice, "hello")
    phone.post("/room/午饭/notify/", {"level": "all"})
    room = Room.objects.get()
    room.name = "supper"
    room.save()
    assert phone.get("/push/").json()["levels"] == {"room/supper": "all"}


def test_an_account_that_is_closed_in_the_admin_is_told_nothing_more(phone: Client, bob: Person) -> None:
    user = User.objects.get(pk=bob.user_id)
    user.is_active = False
    user.save()
    assert not Subscription.objects.exists()

"""The lobby's list as a browser without JavaScript has it: alice's own rooms first, then the others."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rooms import listing, views
from rooms.topics import RoomTopic
from topics.models import Read

pytestmark = pytest.mark.django_db


def say(somebody: Client, room: str, body: str = "hello") -> None:
    assert somebody.post(f"/room/{room}/", {"body": body}).status_code == 303


def rooms_of(page: str) -> list[str]:
    return re.findall(r'href="/room/([\w-]+)/"', page)


def shown(somebody: Client, path: str = "/") -> str:
    return str(somebody.get(path).content.decode())


@pytest.fixture(autouse=True)
def known(alice: Client, bob: Client) -> None:
    for somebody in (alice, bob):
        somebody.get("/")


def test_own_rooms_come_first_and_say_how_much_is_new(alice: Client, bob: Client) -> None:
    say(alice, "teahouse")
    for room in ("teahouse", "teahouse", "parlour"):
        say(bob, room)
    page = shown(alice)
    assert rooms_of(page) == ["teahouse", "parlour"]
    assert re.findall(r"<title>(.*)</title>", page) == ["(2) Rooms"]
    assert re.findall(r'class="number">(\d+)<', page.partition("<template")[0]) == ["0", "2", "0", "0"]
    assert "<title>Rooms</title>" in shown(bob)


def test_what_alice_marks_as_read_is_read(alice: Client, bob: Client) -> None:
    say(bob, "teahouse")
    say(bob, "teahouse")
    assert "Mark as read" in shown(alice, "/room/teahouse/")
    assert alice.post("/room/teahouse/read/", {"seq": "1"})["Location"] == "/"
    assert "<title>(1) Rooms" in shown(alice)
    assert "<title>(1) teahouse · Rooms" in shown(alice, "/room/teahouse/")
    alice.post("/room/teahouse/read/", {"seq": "2"})
    for seq in ("", "x", "-1", "99999999999999999999"):
        alice.post("/room/teahouse/read/", {"seq": seq})
    assert "<title>Rooms" in shown(alice)


def test_a_room_that_nobody_has_opened_cannot_be_read(alice: Client) -> None:
    assert alice.post("/room/nowhere/read/", {"seq": "1"}).status_code == 303
    assert rooms_of(shown(alice)) == []


def test_who_keeps_no_cookie_reads_nothing() -> None:
    say(Client(), "teahouse")
    assert not Read.objects.exists(), "she would be somebody else at the next request"
    assert re.search(r'class="rooms own"[^>]*hidden', shown(Client()))


def test_the_others_come_page_by_page(alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SHOWN", 2)
    monkeypatch.setattr(views, "listing", lambda person, limit=2, after=None: listing.listing(person, limit, after))
    say(alice, "own")
    for number in range(5):
        say(bob, f"room-{number}")
    page, seen = shown(alice), []
    assert rooms_of(page)[0] == "own"
    while True:
        seen += [room for room in rooms_of(page) if room != "own"]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if not following:
            break
        page = shown(alice, f"/{following[1]}")
    assert seen == ["room-4", "room-3", "room-2", "room-1", "room-0"]
    for nonsense in ("x", "1", "1-", "-room", "1-a b", "9" * 30 + "-room"):
        assert rooms_of(shown(alice, f"/?after={nonsense}"))[0] == "own"


def test_a_page_asks_as_much_for_many_rooms_as_for_one(alice: Client, bob: Client, settings: Any) -> None:
    settings.ROOMS_PER_PERSON = 100
    asked = []
    for rooms in (1, 12):
        for number in range(rooms):
            say(alice, f"room-{number}")
            say(bob, f"room-{number}")
            RoomTopic(room=f"room-{number}").position()
        with CaptureQueriesContext(connection) as queries:
            shown(alice)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 3

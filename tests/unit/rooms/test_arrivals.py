"""Who opens which room, and what is shown: alice and bob come back, carol may not come in."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import DataError, OperationalError, connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from realtime.contract import Numbered
from rooms import arrivals
from rooms.arrivals import Arrival, Arrivals, Entrance, LoginRequired, NoSuchRoom, arrival, entrances
from rooms.log import Entry, append_all
from rooms.models import Room
from rooms.snapshots import LATEST, snapshot
from topics import people
from topics.people import Person

pytestmark = pytest.mark.django_db

ALICE = Person("guest:alice", "alice", guest=True)


def guest(name: str) -> str:
    return signing.dumps([name, name], salt=people.SALT)


def session(name: str) -> str:
    browser = Browser()
    browser.force_login(get_user_model().objects.create_user(name))
    return browser.cookies["sessionid"].value


def came(room: str = "lobby", session: str | None = None, guest: str | None = None, **back: Any) -> Arrival:
    return Arrival(room, session, guest, back.get("since"), back.get("epoch"))


def filled(name: str, messages: int) -> Room:
    room = Room.objects.enter(name)
    append_all([Entry(room.pk, f"{number}", ALICE, "hi") for number in range(messages)])
    room.refresh_from_db()
    return room


# --- What a handshake claims -------------------------------------------------------------------------


def handshake(cookie: str, query: str = "") -> Arrival:
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode("latin-1"))]
    route = {"kwargs": {"room_name": "lobby"}}
    return arrival({"headers": headers, "query_string": query.encode("latin-1"), "url_route": route})


def test_a_handshake_claims_a_room_a_session_a_guest_and_a_number() -> None:
    found = handshake("theme=dark; guest=g; sessionid=s", "since=7&epoch=e")
    assert found == Arrival("lobby", "s", "g", 7, "e")


@pytest.mark.parametrize("cookie", ["", ";;=", "sessionid="])
def test_a_cookie_header_that_means_nothing_claims_no_session(cookie: str) -> None:
    assert handshake(cookie).session is None


# --- Looked up together ------------------------------------------------------------------------------


def test_each_arrival_gets_its_own_person_room_and_messages() -> None:
    room = filled("lobby", 5)
    alice = session("alice")
    found = entrances(
        [
            came(session=alice, since=3, epoch=room.epoch),
            came("garden", guest=guest("bob")),
            came(session="x" * 32, guest=guest("bob")),
            came(),
            came(),
        ]
    )
    assert all(isinstance(one, Entrance) for one in found)
    persons = [one.person for one in found if isinstance(one, Entrance)]
    assert [person.name for person in persons[:3]] == ["alice", "bob", "bob"]
    assert persons[3].key != persons[4].key  # two new guests are two people
    assert found[0].snapshot == snapshot(room, 3, room.epoch)  # type: ignore[union-attr]
    assert found[1].room == Room.objects.named("garden")  # type: ignore[union-attr]
    assert not Room.objects.filter(name="garden").exists()  # looking makes no room
    assert found[2].snapshot == snapshot(room)  # type: ignore[union-attr]


def crowd(size: int) -> list[Arrival]:
    """Half of them with a session, each pair in another room, of which every second is new."""
    rooms = [filled(f"{size}-{number}", 5) for number in range(0, size, 4)]
    old = [
        came(room.name, session(f"{room.name} {number}"), guest("bob"), since=number, epoch=room.epoch)
        for room in rooms
        for number in (0, 1)
    ]
    return old + [came(f"new-{size}-{number}", guest=guest(f"{number}")) for number in range(size - len(old))]


def test_a_crowd_takes_as_many_queries_as_two() -> None:
    counts = []
    for size in (4, 40, 160):
        waiting = crowd(size)
        with CaptureQueriesContext(connection) as queries:
            found = entrances(waiting)
        assert len(found) == size
        assert all(isinstance(one, Entrance) for one in found)
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2] < 10


def test_guests_are_not_looked_up(django_assert_num_queries: Any) -> None:
    filled("lobby", 5)
    with django_assert_num_queries(2):  # the rooms, and what was said there
        entrances([came(guest=guest("alice")), came(guest=guest("bob"))])


def test_where_guests_may_not_come_in_carol_keeps_nobody_out(settings: Any) -> None:
    settings.ALLOW_GUESTS = False
    alice = session("alice")
    carol, found = entrances([came("carols", guest=guest("carol")), came(session=alice)])
    assert isinstance(carol, LoginRequired)
    assert isinstance(found, Entrance)
    assert found.room.name == "lobby"


def test_one_that_the_database_cannot_digest_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def picky(keys: set[str]) -> dict[str, Person]:
        if "bad" in keys:
            raise DataError("cannot digest that")
        return {}

    monkeypatch.setattr(arrivals, "people_of", picky)
    found = entrances([came(session="bad" if number == 5 else "good") for number in range(9)])
    assert [isinstance(one, Entrance) for one in found] == [number != 5 for number in range(9)]
    assert isinstance(found[5], NoSuchRoom)


def test_a_database_that_is_away_is_not_asked_again_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(keys: set[str]) -> dict[str, Person]:
        asked.append(keys)
        raise OperationalError("nobody listens there")

    monkeypatch.setattr(arrivals, "people_of", away)
    with pytest.raises(OperationalError):
        entrances([came(), came()])
    assert len(asked) == 1


# --- From memory -------------------------------------------------------------------------------------


class Hub:
    """Remembers of the room with this key the numbers after `since`, in the epoch `e`."""

    def __init__(self, room: int, since: int, last: int) -> None:
        self.room, self.since, self.last = str(room), since, last

    def remembered(self, room: str, epoch: str, since: int) -> list[Numbered] | None:
        if (room, epoch) != (self.room, "e") or not self.since <= since <= self.last:
            return None
        return [Numbered(seq, f"said {seq}") for seq in range(since + 1, self.last + 1)]


def at(hub: Hub) -> Arrivals:
    """Of a process that has seen the lobby before."""
    found: Any = Arrivals(hub)  # type: ignore[arg-type]
    found._known = {"lobby": SimpleNamespace(pk=7, name="lobby", epoch="e", is_made=True)}
    found._gathering = None  # whoever asks the database fails
    return found  # type: ignore[no-any-return]


async def test_a_guest_who_returns_to_a_room_that_remembers_enough_costs_no_query() -> None:
    found = await at(Hub(7, since=3, last=9)).admit(came(guest=guest("alice"), since=5, epoch="e"))
    assert found.person == ALICE
    assert found.snapshot == ("e", 9, True, ["said 6", "said 7", "said 8", "said 9"], 9)


async def test_who_missed_nothing_gets_nothing_and_who_missed_much_the_beginning() -> None:
    lobby = at(Hub(7, since=0, last=2 * LATEST))
    nothing = (await lobby.admit(came(since=2 * LATEST, epoch="e"))).snapshot
    much = (await lobby.admit(came(since=10, epoch="e"))).snapshot
    assert nothing == ("e", 2 * LATEST, True, [], 2 * LATEST)
    assert (len(much.frames), much.position, much.seq) == (LATEST, 10 + LATEST, 2 * LATEST)


@pytest.mark.parametrize(
    "claim",
    [
        came(since=5, epoch="another"),
        came(since=5),
        came(epoch="e"),
        came(),
        came(since=2, epoch="e"),
        came(since=10, epoch="e"),
        came("garden", since=5, epoch="e"),
        came(session="somebody's", since=5, epoch="e"),
    ],
    ids=str,
)
async def test_whatever_memory_cannot_prove_is_looked_up(claim: Arrival) -> None:
    assert at(Hub(7, since=3, last=9))._returned(claim) is None


async def test_where_guests_may_not_come_in_nobody_does_from_memory(settings: Any) -> None:
    settings.ALLOW_GUESTS = False
    assert at(Hub(7, since=3, last=9))._returned(came(since=5, epoch="e")) is None

"""A room is its name: who makes, renames or deletes it does so to what was said there, too."""

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from rooms import making
from rooms.models import Making, Room
from rooms.topics import RoomTopic
from topics import Conflict, Person, Refused

pytestmark = pytest.mark.django_db

ALICE = Person("guest:a", "alice", guest=True, address="192.0.2.1")
LOBBY, PARLOUR = RoomTopic(room="lobby"), RoomTopic(room="parlour")
HI = {"body": "hi"}


# --- Making --------------------------------------------------------------------------------------------


def test_the_first_message_makes_the_room_and_says_who_has_made_it() -> None:
    LOBBY.append(HI, by=ALICE)
    LOBBY.append(HI, by=Person("guest:b", "bob", guest=True))
    made = Making.objects.get()
    assert (made.room.name, made.person_key, made.address) == ("lobby", "guest:a", "192.0.2.1")


def test_what_a_program_says_makes_the_room_and_is_nobodys_share() -> None:
    LOBBY.append(HI)
    assert Room.objects.get().name == "lobby"
    assert not Making.objects.exists()


def test_a_room_that_the_lobbys_form_has_made_is_made_once() -> None:
    making.make("lobby", ALICE)
    LOBBY.append(HI, by=Person("guest:b", "bob", guest=True))
    assert Making.objects.get().person_key == "guest:a"
    assert Room.objects.count() == 1


def test_where_somebody_has_made_enough_rooms_nothing_is_stored(settings: object) -> None:
    settings.ROOMS_PER_PERSON = 1  # type: ignore[attr-defined]
    LOBBY.append(HI, by=ALICE)
    with pytest.raises(Refused) as refused:
        PARLOUR.append(HI, by=ALICE)
    assert refused.value.code == "too_many_rooms"
    assert PARLOUR.position().seq == 0
    assert Room.objects.count() == 1
    LOBBY.append(HI, by=ALICE)


# --- Another name, and the end -------------------------------------------------------------------------


def test_a_room_that_gets_another_name_keeps_what_was_said_and_leaves_nothing_under_the_old_one() -> None:
    LOBBY.append(HI, by=ALICE)
    before = LOBBY.position()
    room = Room.objects.get()
    room.name = "parlour"
    room.save()
    assert PARLOUR.position() == before
    assert [event.data for event in PARLOUR.events()] == [HI]
    assert LOBBY.position().seq == 0
    LOBBY.append(HI, by=ALICE)
    assert LOBBY.position().epoch != before.epoch
    assert {room.name for room in Room.objects.all()} == {"lobby", "parlour"}


def test_a_room_does_not_get_a_name_under_which_others_talk() -> None:
    LOBBY.append(HI, by=ALICE)
    PARLOUR.append(HI, by=ALICE)
    Room.objects.filter(name="parlour").delete()
    PARLOUR.append(HI)
    Room.objects.filter(name="parlour")._raw_delete("default")  # type: ignore[attr-defined]
    room = Room.objects.get(name="lobby")
    room.name = "parlour"
    with pytest.raises(Conflict):
        room.save()


def test_a_room_that_is_saved_as_it_is_stays_where_it_is() -> None:
    LOBBY.append(HI, by=ALICE)
    before = LOBBY.position()
    Room.objects.get().save()
    assert LOBBY.position() == before


def test_a_room_that_is_deleted_takes_along_what_was_said_and_a_later_one_is_another() -> None:
    LOBBY.append(HI, by=ALICE)
    before = LOBBY.position()
    Room.objects.all().delete()
    assert LOBBY.position().seq == 0
    assert LOBBY.events() == []
    LOBBY.append(HI, by=ALICE)
    assert LOBBY.position().epoch != before.epoch
    assert LOBBY.position().seq == 1


def test_a_restored_backup_never_gives_an_epoch_again() -> None:
    LOBBY.append(HI, by=ALICE)
    before = LOBBY.position().epoch
    call_command("new_epoch", verbosity=0)
    PARLOUR.append(HI, by=ALICE)
    assert len({before, LOBBY.position().epoch, PARLOUR.position().epoch}) == 3


# --- Who may, and what -----------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["hi", {}, {"body": ""}, {"body": 5}, {"body": "x" * 4001}, {"body": "hi", "x": 1}])
async def test_what_is_no_message_is_refused_with_a_sentence(data: object) -> None:
    with pytest.raises(Refused, match="characters"):
        await LOBBY.received(ALICE, data)
    assert await LOBBY.received(ALICE, HI) == HI


async def test_carol_who_is_a_guest_may_not_where_guests_may_not(settings: object) -> None:
    settings.ALLOW_GUESTS = False  # type: ignore[attr-defined]
    user = Person("user:1", "alice", guest=False)
    assert [await LOBBY.may(person, "read") for person in (ALICE, user)] == [False, True]


# --- The lobby -------------------------------------------------------------------------------------------


def test_only_rooms_in_which_something_was_said_are_recent_and_the_latest_first() -> None:
    making.make("quiet", ALICE)
    LOBBY.append(HI, by=ALICE)
    PARLOUR.append(HI, by=ALICE)
    PARLOUR.append(HI, by=ALICE)
    assert [(talk.name, talk.seq) for talk in Room.objects.recent(10)] == [("parlour", 2), ("lobby", 1)]
    assert len(Room.objects.recent(1)) == 1


def test_who_has_an_account_is_remembered_by_it() -> None:
    user = get_user_model().objects.create_user("alice")
    event = LOBBY.append(HI, by=user)
    assert event.by is not None
    assert event.by.user_id == user.pk

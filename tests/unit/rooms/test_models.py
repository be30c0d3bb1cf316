"""Rooms are made by whoever enters first, and remember what was said."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from rooms.converters import InvalidRoomName
from rooms.models import Message, Room

pytestmark = pytest.mark.django_db


def message(room: Room, seq: int, client_id: str | None = None) -> Message:
    return Message.objects.create(
        room=room, seq=seq, client_id=client_id or str(seq), author="alice", guest=False, body="hi", at=timezone.now()
    )


def test_the_first_who_enters_makes_the_room_and_the_others_find_it() -> None:
    made = Room.objects.enter("lobby")
    assert Room.objects.enter("lobby") == made
    assert made.seq == 0
    assert Room.objects.count() == 1


def test_a_name_written_with_other_accents_is_the_same_room() -> None:
    assert Room.objects.enter("cafe\u0301") == Room.objects.enter("café")


def test_an_invalid_name_makes_no_room() -> None:
    with pytest.raises(InvalidRoomName):
        Room.objects.enter("a b")
    assert not Room.objects.exists()


def test_every_rooms_log_has_an_epoch_of_its_own() -> None:
    assert len({Room.objects.enter(name).epoch for name in "abc"}) == 3


def test_a_number_and_an_id_stand_for_one_message_of_a_room() -> None:
    room, other = Room.objects.enter("a"), Room.objects.enter("b")
    message(room, 1, "x")
    message(other, 1, "x")
    for seq, client_id in ((1, "y"), (2, "x")):
        with pytest.raises(IntegrityError), transaction.atomic():
            message(room, seq, client_id)


def test_the_latest_messages_come_oldest_first() -> None:
    room = Room.objects.enter("a")
    for seq in range(1, 8):
        message(room, seq)
    assert [found.seq for found in room.latest(3)] == [5, 6, 7]


def test_only_rooms_in_which_something_was_said_are_recent_and_the_latest_first() -> None:
    for name, seq in (("a", 1), ("quiet", 0), ("b", 2)):
        room = Room.objects.enter(name)
        Room.objects.filter(pk=room.pk).update(seq=seq, changed_at=timezone.now())
    assert [room.name for room in Room.objects.recent(10)] == ["b", "a"]
    assert len(Room.objects.recent(1)) == 1


def test_a_message_knows_its_author_by_name() -> None:
    said = message(Room.objects.enter("a"), 1)
    assert said.person == {"name": "alice", "guest": False}
    assert str(said) == f"{said.room_id}/1"
    assert str(said.room) == "a"

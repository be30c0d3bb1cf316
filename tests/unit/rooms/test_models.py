"""Rooms are one and the same before and after they are made, and remember what was said."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from rooms.converters import InvalidRoomName
from rooms.models import Lineage, Message, Room

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


def test_a_room_that_nobody_has_made_has_the_key_and_the_epoch_that_it_will_have() -> None:
    before = Room.objects.named("lobby")
    assert not before.is_made
    assert not Room.objects.exists()
    made = Room.objects.enter("lobby")
    assert made.is_made
    assert (made.pk, made.epoch) == (before.pk, before.epoch)


def test_a_room_that_is_made_while_somebody_looks_for_it_is_that_room(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Room.objects.named("lobby")
    current = Lineage.current

    def made_meanwhile() -> str:
        monkeypatch.setattr(Lineage, "current", current)
        Room.objects.enter("lobby")
        return current()

    monkeypatch.setattr(Lineage, "current", made_meanwhile)  # asked for when no room has been found by name
    found = Room.objects.named("lobby")
    assert found.is_made
    assert (found.pk, found.epoch) == (before.pk, before.epoch)


def test_a_room_whose_making_is_taken_back_is_not_made() -> None:
    room = Room.objects.named("lobby")
    with transaction.atomic():
        Room.objects.make([room])
        transaction.set_rollback(True)
    assert not room.is_made
    assert not Room.objects.exists()


def test_a_room_that_has_another_name_now_keeps_its_log_and_who_comes_to_the_old_name_gets_another() -> None:
    renamed = Room.objects.enter("lobby")
    Room.objects.update(name="parlour")
    lobby = Room.objects.named("lobby")
    assert not lobby.is_made
    assert lobby.pk != renamed.pk
    assert lobby.epoch != renamed.epoch
    assert Room.objects.enter("lobby").pk == lobby.pk
    assert Room.objects.named("parlour").pk == renamed.pk


def test_a_deleted_room_with_messages_and_a_restored_backup_never_give_an_epoch_again() -> None:
    made = Room.objects.enter("lobby")
    Room.objects.update(seq=1)
    Room.objects.all().delete()
    after = Room.objects.named("lobby").epoch
    call_command("new_epoch", stdout=StringIO())
    assert len({made.epoch, after, Room.objects.named("lobby").epoch}) == 3


def test_a_room_that_was_deleted_while_somebody_was_in_it_is_not_made_with_its_old_epoch() -> None:
    before = Room.objects.named("lobby")
    Room.objects.enter("lobby")
    Room.objects.update(seq=1)
    Room.objects.all().delete()
    Room.objects.make([before])
    assert not Room.objects.exists()


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

"""Empty rooms go: never one that was opened lately, that somebody is in, or in which something was said."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from rooms import sweeping
from rooms.log import Entry, append_all
from rooms.models import Making, Room
from rooms.sweeping import sweep
from topics.people import Person

pytestmark = pytest.mark.django_db

ALICE = Person("guest:a", "alice", guest=True)


def opened(name: str, days: float, said: bool = False) -> Room:
    """A room that was opened, and maybe spoken-in, so many days ago."""
    room = Room.objects.enter(name)
    if said:
        append_all([Entry(room.pk, "a", ALICE, "hi")])
    Room.objects.filter(pk=room.pk).update(changed_at=timezone.now() - timedelta(days=days))
    return room


def names() -> set[str]:
    return set(Room.objects.values_list("name", flat=True))


def test_only_rooms_that_were_empty_for_a_day_are_swept() -> None:
    Room.objects.create(name="made-by-looking", changed_at=timezone.now() - timedelta(days=30))  # once upon a time
    opened("just-opened", 0.9)
    opened("empty", 1.1)
    opened("spoken-in", 400, said=True)
    assert sweep() == 2
    assert names() == {"just-opened", "spoken-in"}


def test_a_room_that_somebody_is_in_stays_and_no_other_process_sweeps_it() -> None:
    inside = opened("inside", 2)
    sweep([inside.pk])
    sweep()
    assert names() == {"inside"}


def test_a_swept_room_is_the_same_when_somebody_returns_to_it() -> None:
    before = opened("empty", 2)
    sweep()
    after = Room.objects.named("empty")
    assert not after.is_made
    assert (after.pk, after.epoch) == (before.pk, before.epoch)


def test_a_sweep_is_bounded_and_the_command_goes_on_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    for number in range(5):
        opened(f"{number}", 2)
    assert sweep() == 2
    assert len(names()) == 3
    told = StringIO()
    call_command("sweep_rooms", stdout=told)
    assert told.getvalue() == "3 empty rooms are removed.\n"
    assert not names()


def test_who_made_a_room_is_forgotten_after_a_week() -> None:
    room = opened("spoken-in", 0, said=True)
    Making.objects.create(room=room, person_key="guest:a", address="", at=timezone.now() - timedelta(days=8))
    sweep()
    assert not Making.objects.exists()

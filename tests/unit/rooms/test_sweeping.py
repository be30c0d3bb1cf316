"""Empty rooms go: never one that was opened lately, or in which something was said."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from rooms import making, sweeping
from rooms.models import Making, Room
from rooms.sweeping import sweep
from rooms.topics import RoomTopic
from topics import Person

pytestmark = pytest.mark.django_db

ALICE = Person("guest:a", "alice", guest=True)


def opened(name: str, days: float, said: bool = False) -> None:
    """A room that was opened, and maybe spoken-in, so many days ago."""
    making.make(name, ALICE)
    if said:
        RoomTopic(room=name).append({"body": "hi"}, by=ALICE)
    Making.objects.filter(room__name=name).update(at=timezone.now() - timedelta(days=days))


def names() -> set[str]:
    return set(Room.objects.values_list("name", flat=True))


def test_only_rooms_that_were_empty_for_a_week_are_swept() -> None:
    opened("just-opened", 6.9)
    opened("empty", 7.1)
    opened("spoken-in", 400, said=True)
    assert sweep() == 2
    assert names() == {"just-opened", "spoken-in"}
    assert RoomTopic(room="spoken-in").position().seq == 1


def test_who_made_a_room_is_forgotten_after_a_week() -> None:
    opened("spoken-in", 8, said=True)
    sweep()
    assert not Making.objects.exists()
    assert sweep() == 0


def test_a_sweep_is_bounded_and_the_command_goes_on_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    for number in range(5):
        opened(f"{number}", 8)
    assert sweep() == 2
    assert len(names()) == 3
    told = StringIO()
    call_command("sweep_rooms", stdout=told)
    assert told.getvalue() == "3 empty rooms are removed.\n"
    assert not names()


def test_who_opens_a_room_by_the_lobbys_form_sweeps_old_ones() -> None:
    for number in range(5):
        opened(f"{number}", 8)
    Client().post("/", {"name": "teahouse"})
    assert names() == {"teahouse"}

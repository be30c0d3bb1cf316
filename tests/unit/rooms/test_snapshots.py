"""What sockets are welcomed with: bob comes back, carol is new."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rooms import snapshots
from rooms.log import Entry, append_all
from rooms.models import Room
from rooms.snapshots import Wish, snapshot
from topics.people import Person

pytestmark = pytest.mark.django_db

ALICE = Person("guest:a", "alice", guest=True)


@pytest.fixture
def room() -> Room:
    return Room.objects.enter("lobby")


def say(room: Room, *ids: str, body: str = "hi") -> None:
    append_all([Entry(room.pk, id, ALICE, body) for id in ids])


def fill(room: Room, count: int, body: str = "hi") -> Room:
    say(room, *(f"{room.seq + number}" for number in range(1, count + 1)), body=body)
    room.refresh_from_db()
    return room


def numbers(frames: list[str]) -> list[int]:
    return [json.loads(frame)["seq"] for frame in frames]


def test_a_newcomer_sees_the_latest_messages(room: Room) -> None:
    fill(room, snapshots.LATEST + 5)
    found = snapshot(room)
    assert numbers(found.frames) == list(range(6, snapshots.LATEST + 6))
    assert (found.recovered, found.seq, found.position) == (False, room.seq, room.seq)


def test_an_empty_room_has_nothing_to_show(room: Room) -> None:
    assert snapshot(room) == (room.epoch, 0, False, [], 0)
    assert snapshot(room, 0, room.epoch) == (room.epoch, 0, True, [], 0)


def test_who_returns_gets_what_was_missed_and_only_that(room: Room) -> None:
    fill(room, 10)
    found = snapshot(room, 7, room.epoch)
    assert numbers(found.frames) == [8, 9, 10]
    assert (found.recovered, found.position) == (True, 10)


def test_who_missed_nothing_is_told_so(room: Room) -> None:
    fill(room, 10)
    assert snapshot(room, 10, room.epoch) == (room.epoch, 10, True, [], 10)


def test_who_missed_much_gets_the_beginning_and_the_rest_follows(room: Room) -> None:
    fill(room, snapshots.LATEST + 20)
    found = snapshot(room, 3, room.epoch)
    assert numbers(found.frames) == list(range(4, 4 + snapshots.LATEST))
    assert found.position == 3 + snapshots.LATEST
    assert found.recovered


@pytest.mark.parametrize("behind", [snapshots.FARTHEST, snapshots.FARTHEST + 1])
def test_who_missed_more_than_a_thousand_starts_afresh(room: Room, behind: int) -> None:
    room.seq = snapshots.FARTHEST + 10
    assert snapshot(room, room.seq - behind, room.epoch).recovered is (behind == snapshots.FARTHEST)


@pytest.mark.parametrize(("since", "epoch"), [(5, "another"), (5, None), (None, "same"), (11, "same")])
def test_where_it_cannot_be_told_what_was_missed_one_starts_afresh(
    room: Room, since: int | None, epoch: str | None
) -> None:
    fill(room, 10)
    found = snapshot(room, since, room.epoch if epoch == "same" else epoch)
    assert not found.recovered
    assert numbers(found.frames) == list(range(1, 11))
    assert found.position == 10


def test_a_welcome_holds_no_more_than_32_kib_and_no_hole(room: Room) -> None:
    fill(room, 20, body="🙂" * 1_000)
    newcomer, returned = snapshot(room), snapshot(room, 2, room.epoch)
    for found in (newcomer, returned):
        assert sum(len(frame.encode()) + 1 for frame in found.frames) <= snapshots.WELCOME_BYTES
    fit = len(returned.frames)
    assert 0 < fit < 10
    assert numbers(newcomer.frames) == list(range(21 - fit, 21))
    assert numbers(returned.frames) == list(range(3, 3 + fit))
    assert returned.position == 2 + fit


def test_what_is_said_after_the_look_at_the_room_is_left_for_later(room: Room) -> None:
    looked_at = fill(room, 3)
    say(Room.objects.get(pk=room.pk), "late")
    assert numbers(snapshot(looked_at).frames) == [1, 2, 3]
    assert numbers(snapshot(looked_at, 1, room.epoch).frames) == [2, 3]


def test_where_a_message_is_missing_from_the_log_nobody_gets_another_one_twice(room: Room) -> None:
    say(room, "a", "b", "c", "d")
    room.messages.filter(seq=2).delete()
    room.refresh_from_db()
    found = snapshot(room, 1, room.epoch)
    assert len(found.frames) == 2
    assert found.position == 4


def test_a_crowds_snapshots_take_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    rooms = [fill(Room.objects.enter(f"room-{number}"), 5) for number in range(10)]
    wishes = [Wish(room, since, room.epoch) for room in rooms for since in (None, 0, 3, 4, 5, 99)]
    with django_assert_num_queries(1):
        found = snapshots.snapshots(wishes)
    assert [found[wish] for wish in wishes] == [snapshot(*wish) for wish in wishes]


def test_whoever_missed_nothing_costs_no_query(room: Room) -> None:
    fill(room, 5)
    with CaptureQueriesContext(connection) as queries:
        assert snapshot(room, 5, room.epoch).recovered
    assert len(queries) == 0

"""What a person of the load notes while frames come by."""

from typing import Any

import pytest

from bench.people.hearing import Hearing
from unit.bench.people.frames import frame, message, welcome


def after(*frames: Any) -> Hearing:
    person = Hearing("tea", keeps=True)
    for one in frames:
        person.hear(one)
    return person


def test_a_newcomer_counts_from_the_rooms_last_number() -> None:
    assert after(welcome(seq=7), message(8)).wrong == []
    assert after(welcome(message(6), message(7), seq=7), message(8)).wrong == []


@pytest.mark.parametrize("seq", [7, 9])
def test_a_number_that_does_not_follow_is_wrong(seq: int) -> None:
    assert after(welcome(seq=7), message(seq)).wrong == [f"{seq} came after 7"]


def test_whoever_returns_goes_on_where_she_was() -> None:
    alice = after(welcome(), message(1), welcome(message(2), recovered=True, seq=3), message(3))
    assert alice.wrong == []
    assert [seq for seq, _ in alice.heard] == [1, 2, 3]


@pytest.mark.parametrize("again", [welcome(seq=1), welcome(recovered=True, epoch="f", seq=1)])
def test_a_return_that_was_not_resumed_is_wrong(again: Any) -> None:
    assert after(welcome(), message(1), again).wrong == ["no resume from 1"]


def test_an_error_is_wrong_and_an_ack_is_told() -> None:
    bob = Hearing("tea")
    acks: list[tuple[str, int]] = []
    bob.on_ack = lambda _, id, seq: acks.append((id, seq))
    for one in (frame("ack", id="m1", seq=1), frame("error", code="unavailable"), frame("typing")):
        bob.hear(one)
    assert acks == [("m1", 1)]
    assert bob.wrong == ["error unavailable"]

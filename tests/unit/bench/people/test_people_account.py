"""Durable runs are refused where anything is wrong: an account that never complains would prove nothing."""

import pytest

from bench.people.account import complaint, first_complaint
from bench.people.hearing import Hearing
from unit.bench.people.frames import message, welcome

LOG = [(1, "a"), (2, "b"), (3, "c")]
ACKED = {"a": 1, "b": 2, "c": 3}


def hearing(*messages: tuple[int, str], keeps: bool = False, numbered: bool = True, room: str = "tea") -> Hearing:
    person = Hearing(room, keeps=keeps, numbered=numbered)
    person.hear(welcome())
    for seq, id in messages:
        person.hear(message(seq, id))
    return person


def judged(log: list[tuple[int, str]] = LOG, acked: dict[str, int] = ACKED, alice: Hearing | None = None) -> str:
    return complaint(log, {"a", "b", "c"}, acked, [alice or hearing(*log), hearing(*log, keeps=True)])


def test_all_is_well() -> None:
    assert judged() == ""


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (LOG[:2], "an ack that is not in the log"),
        ([(1, "a"), (2, "c"), (3, "b")], "an ack that is not in the log"),
        ([*LOG, (4, "c")], "1 stored twice"),
        ([*LOG[:2], (4, "c")], "numbers with a hole"),
        ([*LOG, (4, "x")], "1 that nobody said"),
    ],
)
def test_what_is_wrong_with_the_log_is_found(log: list[tuple[int, str]], words: str) -> None:
    assert words in judged(log)


def test_a_message_that_was_never_acknowledged_is_found() -> None:
    assert judged(acked={"a": 1, "b": 2}) == "1 without an ack"


@pytest.mark.parametrize("heard", [LOG[:2], [LOG[0], LOG[2]], [*LOG, LOG[2]], [LOG[1], LOG[0], LOG[2]], []])
def test_whoever_did_not_hear_everything_once_in_order_is_found(heard: list[tuple[int, str]]) -> None:
    assert judged(alice=hearing(*heard))
    assert "somebody who did not hear" in judged(alice=hearing(*heard, keeps=True)) or sorted(heard) == LOG


def test_a_right_number_with_a_wrong_message_is_found_by_whoever_keeps_them() -> None:
    assert judged(alice=hearing((1, "a"), (2, "x"), (3, "c"), keeps=True))


def test_a_peer_without_numbers_is_judged_by_its_ids_alone() -> None:
    log = [(7, "a"), (9, "b")]
    alice = hearing((9, "b"), (7, "a"), keeps=True, numbered=False)
    assert complaint(log, {"a", "b"}, {"a": 7, "b": 9}, [alice]) == ""
    bob = hearing((9, "b"), (9, "b"), keeps=True, numbered=False)
    assert complaint(log, {"a", "b"}, {"a": 7, "b": 9}, [bob])


def test_the_first_room_with_a_complaint_speaks_for_all() -> None:
    logs = {"tea": LOG, "coffee": [(1, "d")]}
    said = dict.fromkeys("abc", "tea") | {"d": "coffee"}
    alice, carol = hearing(*LOG), hearing(room="coffee")
    assert first_complaint({"tea": LOG}, said, ACKED, [alice]) == ""
    assert "did not hear" in first_complaint(logs, said, ACKED | {"d": 1}, [alice, carol])

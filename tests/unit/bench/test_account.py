"""Each delivery is accounted for: one that is lost, doubled or swapped is found, whoever else heard all."""

import pytest

from bench.load.account import Account, Known, Numbers
from bench.load.talk import BODY_BYTES, Order, body

LOBBY, KITCHEN = 0, 1
ALICE, BOB = 0, 1


def account(order: Order = "sender") -> Account:
    """In the lobby alice says 1, 2 and 4, bob says 3; in the kitchen alice says 5."""
    account = Account(order)
    for number, room, sender in [(1, LOBBY, ALICE), (2, LOBBY, ALICE), (3, LOBBY, BOB), (4, LOBBY, ALICE)]:
        account.said(number, room, sender)
    account.said(5, KITCHEN, ALICE)
    return account


def one_by_one(*numbers: int) -> list[Numbers]:
    return [(number,) for number in numbers]


ALL = one_by_one(1, 2, 3, 4)


def test_everybody_heard_everything() -> None:
    assert account().fault([(LOBBY, ALL), (LOBBY, ALL), (KITCHEN, one_by_one(5))]) == ""


def test_batches_may_be_cut_anywhere() -> None:
    assert account("total").fault([(LOBBY, [(1, 2), (3, 4)]), (LOBBY, [(1,), (2, 3, 4)]), (LOBBY, ALL)]) == ""


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        ([1, 2, 4], "1 missing"),
        ([1, 2, 3], "1 missing"),
        ([], "4 missing"),
        ([1, 2, 3, 3, 4], "1 doubled"),
        ([1, 2, 3, 4, 4, 4], "2 doubled"),
        ([1, 2, 2, 4], "1 missing, 1 doubled"),
        ([2, 1, 3, 4], "1 swapped"),
        ([1, 2, 3, 4, 5], "1 foreign"),
    ],
)
def test_what_one_of_many_did_not_hear_as_it_was_said_is_found(heard: list[int], fault: str) -> None:
    crowd = [(LOBBY, ALL)] * 100
    assert account().fault([*crowd, (LOBBY, one_by_one(*heard)), *crowd]) == fault
    assert account().fault([(LOBBY, one_by_one(*heard)), *crowd]) == fault


def test_faults_of_several_add_up() -> None:
    missing_one, missing_two = one_by_one(1, 2, 3), one_by_one(1, 2)
    assert account().fault([(LOBBY, missing_one), (LOBBY, missing_one), (LOBBY, missing_two)]) == "4 missing"


def test_two_senders_may_be_heard_in_any_order_where_only_that_of_each_is_promised() -> None:
    other = one_by_one(3, 1, 2, 4)
    assert account("sender").fault([(LOBBY, ALL), (LOBBY, other)]) == ""
    assert account("total").fault([(LOBBY, ALL), (LOBBY, other)]) == "1 swapped"
    assert account("total").fault([(LOBBY, other), (LOBBY, other)]) == ""


def test_where_no_order_is_promised_none_is_asked_for() -> None:
    assert account("none").fault([(LOBBY, one_by_one(4, 3, 2, 1))]) == ""


def test_what_is_said_in_the_kitchen_is_foreign_in_the_lobby() -> None:
    assert account().fault([(KITCHEN, one_by_one(1))]) == "1 missing, 1 foreign"


def test_numbers_are_found_in_frames_of_every_contender() -> None:
    known = Known()
    assert len(body(7)) == BODY_BYTES
    assert known[body(7).encode()] == (7,)
    assert known[f'42["message","{body(8)}"]'.encode()] == (8,)
    assert known[f'["{body(9)}","{body(10)}"]'.encode()] == (9, 10)
    assert known[f'{{"type":"message","seq":3,"id":"bench-12","body":"{body(12)}"}}'.encode()] == (12,)


def test_frames_that_are_no_messages_have_none_and_are_not_kept() -> None:
    known = Known()
    assert known[b'{"type":"ack","id":"bench-12","seq":3}'] == ()
    assert known == {}

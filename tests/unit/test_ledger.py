"""The account that the fault tests settle: an account that never complains would prove nothing."""

from dataclasses import dataclass, field

import pytest

from ledger import Account, settle


@dataclass
class Witness:
    """What a member knows at the end."""

    seen: list[tuple[int, str]]
    acked: dict[str, int] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    dials: int = 1


LOG = [(1, "a", "one"), (2, "b", "two"), (3, "c", "three")]
ALL = [(1, "a"), (2, "b"), (3, "c")]


def account(log: list[tuple[int, str, str]], alice: Witness, bob: Witness) -> Account:
    return settle([alice, bob], log)  # type: ignore[list-item]


def speaker() -> Witness:
    return Witness(seen=ALL, acked={"a": 1, "b": 2, "c": 3}, said={"a", "b", "c"})


def reader() -> Witness:
    return Witness(seen=ALL)


def test_all_is_well() -> None:
    settled = account(LOG, speaker(), reader())
    assert settled.faultless
    assert settled.acked == 3


def test_what_was_said_without_an_ack_may_be_stored() -> None:
    alice = speaker()
    del alice.acked["c"]
    assert account(LOG, alice, reader()).faultless


@pytest.mark.parametrize(
    ("log", "fault"),
    [
        (LOG[:2], "lost"),
        ([LOG[0], LOG[2], (3, "b", "two")], "lost"),
        ([*LOG, (4, "b", "two")], "doubled"),
        ([*LOG[:2], (4, "c", "three")], "holes"),
        ([*LOG, (4, "x", "nobody's")], "unsaid"),
    ],
)
def test_what_is_wrong_with_the_log_is_found(log: list[tuple[int, str, str]], fault: str) -> None:
    settled = account(log, speaker(), reader())
    assert getattr(settled, fault) == 1
    assert not settled.faultless


@pytest.mark.parametrize("seen", [ALL[:2], ALL[1:], [ALL[1], ALL[0], ALL[2]], [*ALL, ALL[2]], []])
def test_a_reader_who_read_anything_else_is_found(seen: list[tuple[int, str]]) -> None:
    settled = account(LOG, speaker(), Witness(seen))
    assert settled.unread == 1
    assert not settled.faultless


def test_a_members_complaint_is_heard() -> None:
    settled = account(LOG, speaker(), Witness(seen=ALL, wrong=["3 came after 1"]))
    assert not settled.faultless

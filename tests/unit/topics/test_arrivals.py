"""Who joins which topic, and what is shown: alice and bob come back, carol may read nothing."""

from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from realtime.contract import Numbered
from topics.delivery import arrivals
from topics.delivery.arrivals import Arrivals, Claim, Forbidden, Visit, claim_of
from topics.delivery.resume import LATEST, Snapshot, Wish, snapshots
from topics.people import Person, guest_of
from topics.storing import logs
from topics.storing.log import New, append_all

from .declared import Chat, Votes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_topics")]

ALICE = Person("guest:alice", "alice", guest=True)
CAROL = Person("guest:carol", "carol", guest=True)
OPEN = Chat(name_of_it="open")


def visit(topic: Any, since: int | None = None, epoch: str | None = None, *, asked: bool = True) -> Visit:
    return Visit(topic, guest_of(None), since, epoch, None, asked)


def filled(topic: Chat, count: int) -> str:
    key = logs.key_of(topic, None)
    append_all([New(key, f"{number}", ALICE, "1") for number in range(count)])
    return topic.position().epoch


# --- What a handshake claims -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "claim"),
    [
        ("theme=dark; guest=g; sessionid=s", Claim("s", "g")),
        ("", Claim(None, None)),
        (";;=", Claim(None, None)),
        ("sessionid=", Claim(None, None)),
    ],
)
def test_a_handshake_claims_a_session_and_a_guest(cookie: str, claim: Claim) -> None:
    assert claim_of({"headers": [(b"host", b"localhost"), (b"cookie", cookie.encode("latin-1"))]}) == claim


# --- Looked up together ------------------------------------------------------------------------------


def test_a_crowd_takes_as_many_queries_as_two() -> None:
    counts = []
    for size in (4, 40, 160):
        topics = [Chat(name_of_it=f"{size}-{number}") for number in range(0, size, 4)]
        old = [visit(topic, since, filled(topic, 5)) for topic in topics for since in (0, 1)]
        new = [visit(Chat(name_of_it=f"new-{size}-{number}")) for number in range(size - len(old))]
        with CaptureQueriesContext(connection) as queries:
            found = arrivals._shown([*old, *new])
        assert all(isinstance(one, Snapshot) for one in found)
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2] < 5


def test_who_may_not_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Votes, "may", lambda self, person, act: False)
    found = arrivals._shown([visit(Votes(poll="lunch"), asked=False), visit(OPEN)])
    assert [type(one) for one in found] == [Forbidden, Snapshot]


def test_one_that_the_database_cannot_digest_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def picky(wishes: set[Wish]) -> dict[Wish, Snapshot]:
        if any(wish.topic == "chat/bad" for wish in wishes):
            raise DataError("cannot digest that")
        return snapshots(wishes)

    monkeypatch.setattr(arrivals, "snapshots", picky)
    found = arrivals._shown([visit(Chat(name_of_it="bad" if number == 5 else "good")) for number in range(9)])
    assert [isinstance(one, Snapshot) for one in found] == [number != 5 for number in range(9)]


def test_a_database_that_is_away_is_not_asked_again_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(wishes: set[Wish]) -> None:
        asked.append(wishes)
        raise OperationalError("nobody listens there")

    monkeypatch.setattr(arrivals, "snapshots", away)
    with pytest.raises(OperationalError):
        arrivals._shown([visit(OPEN), visit(OPEN)])
    assert len(asked) == 1


# --- From memory -------------------------------------------------------------------------------------


class Hub:
    """Remembers of chat/open the numbers after `since`, in the epoch `e`."""

    def __init__(self, since: int, last: int) -> None:
        self.since, self.last = since, last

    def remembered(self, room: str, epoch: str, since: int) -> list[Numbered] | None:
        if (room, epoch) != ("topic:chat/open", "e") or not self.since <= since <= self.last:
            return None
        return [Numbered(seq, f"event {seq}") for seq in range(since + 1, self.last + 1)]


class LookedUp(Exception):
    """The database was asked."""


def at(hub: Hub) -> Arrivals:
    found = Arrivals(hub)  # type: ignore[arg-type]

    class Nobody:
        async def ask(self, visit: Visit) -> None:
            raise LookedUp

    found._visits = Nobody()  # type: ignore[assignment]
    return found


async def test_who_returns_to_a_topic_that_is_remembered_costs_no_query() -> None:
    found = await at(Hub(since=3, last=9)).join(OPEN, ALICE, 5, "e")
    assert found[:7] == ("e", 9, True, [f"event {seq}" for seq in range(6, 10)], 9, "e", None)


async def test_who_missed_nothing_gets_nothing_and_who_missed_much_the_beginning() -> None:
    here = at(Hub(since=0, last=2 * LATEST))
    nothing, much = await here.join(OPEN, ALICE, 2 * LATEST, "e"), await here.join(OPEN, ALICE, 10, "e")
    assert nothing[:7] == ("e", 2 * LATEST, True, [], 2 * LATEST, "e", None)
    assert (len(much.frames), much.position, much.seq) == (LATEST, 10 + LATEST, 2 * LATEST)


@pytest.mark.parametrize(
    ("topic", "since", "epoch"),
    [
        (OPEN, 5, "another"),
        (OPEN, 5, None),
        (OPEN, 0, ""),
        (OPEN, None, "e"),
        (OPEN, None, None),
        (OPEN, 2, "e"),
        (OPEN, 10, "e"),
        (Chat(name_of_it="other"), 5, "e"),
        (Votes(poll="lunch"), 5, "e"),
    ],
    ids=str,
)
async def test_whatever_memory_cannot_prove_is_looked_up(topic: Any, since: int | None, epoch: str | None) -> None:
    with pytest.raises(LookedUp):
        await at(Hub(since=3, last=9)).join(topic, ALICE, since, epoch)


async def test_carol_is_not_shown_what_is_remembered() -> None:
    with pytest.raises(Forbidden):
        await at(Hub(since=3, last=9)).join(OPEN, CAROL, 5, "e")

"""Many say something at once: alice and bob about orders 1 and 2, and a database that is slow, busy or away."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from topics.delivery import sending
from topics.delivery.sending import Sent, Writer
from topics.people import Person
from topics.storing import database
from topics.storing import writer as writing
from topics.storing.log import Differs, Outcome, Stored
from topics.storing.outcomes import Locked, Removed, TooMuch, Unavailable
from unit.realtime.fakes import settled, until

from .declared import Orders

ALICE = Person("guest:a", "alice", guest=True)


def sent(topic: int, id: str) -> Sent:
    return Sent(Orders(number=topic), id, ALICE, '"hi"')


class Database:
    """Stands for append_sent in its thread: stores at once, or when it is told to; some rooms may be locked."""

    def __init__(self) -> None:
        self.begun = 0
        self.transactions: list[list[Sent]] = []
        self.seq: dict[int, int] = {}
        self.locked: set[int] = set()
        self.error: Exception | None = None
        self.on_begin: Callable[[], None] = lambda: None
        self.open = threading.Event()
        self.open.set()

    def append_all(self, entries: Sequence[Sent], *, skip_locked: bool = False) -> list[Outcome]:
        self.begun += 1
        self.on_begin()
        assert self.open.wait(5)
        if self.error:
            raise self.error
        self.transactions.append(list(entries))
        return [self.store(entry) for entry in entries]

    def store(self, entry: Sent) -> Outcome:
        topic = entry.topic.number  # type: ignore[attr-defined]
        if topic in self.locked:
            return Locked("busy")
        seq = self.seq[topic] = self.seq.get(topic, 0) + 1
        return Stored(topic, seq, entry.id, entry.person, entry.data, timezone.now())


class Hub:
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.broken = False

    def publish(self, room: str, epoch: str, seq: int, frame: str) -> None:
        if self.broken:
            raise ValueError("a socket's own trouble")
        self.told.append((room.split("/")[1], seq))


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def db(monkeypatch: pytest.MonkeyPatch) -> Database:
    db = Database()
    monkeypatch.setattr(sending, "append_sent", db.append_all)
    return db


@pytest.fixture
async def writer(hub: Hub, db: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Writer]:
    monkeypatch.setattr(writing, "ASIDE_RETRY_SECONDS", 0.005)
    writer = Writer(hub)  # type: ignore[arg-type]
    yield writer
    db.open.set()
    db.locked.clear()
    await asyncio.wait_for(writer.finish(), 30)


class Said(list[tuple[str, Outcome]]):
    """What became of what was said, in the order in which it was told."""

    def __call__(self, writer: Writer, room: int, id: str) -> None:
        writer.append(sent(room, id), lambda outcome: self.append((id, outcome)))

    @property
    def ids(self) -> list[str]:
        return [id for id, _ in self]


@pytest.fixture
def say() -> Said:
    return Said()


async def test_a_lone_message_is_stored_at_once(writer: Writer, db: Database, hub: Hub, say: Said) -> None:
    say(writer, 1, "a")
    await until(lambda: say)
    assert isinstance(say[0][1], Stored)
    assert hub.told == [("1", 1)]


async def test_what_arrives_during_a_transaction_becomes_the_next_one(writer: Writer, db: Database, say: Said) -> None:
    db.open.clear()
    say(writer, 1, "first")
    await until(lambda: db.begun)
    for number in range(20):
        say(writer, number % 2, f"{number}")
    db.open.set()
    await writer.finish()
    assert [len(entries) for entries in db.transactions] == [1, 20]
    assert say.ids == ["first", *(f"{number}" for number in range(20))]


async def test_a_transaction_has_a_bounded_size(
    writer: Writer, db: Database, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 4)
    for number in range(10):
        say(writer, 1, f"{number}")
    await writer.finish()
    assert [len(entries) for entries in db.transactions] == [4, 4, 2]


async def test_a_transaction_is_told_in_one_turn_of_the_loop(writer: Writer, db: Database, say: Said) -> None:
    told_by_the_next_turn: list[int] = []

    def done(outcome: Outcome) -> None:
        asyncio.get_running_loop().call_soon(lambda: told_by_the_next_turn.append(len(say)))

    db.open.clear()
    say(writer, 1, "first")
    await until(lambda: db.begun)
    writer.append(sent(1, "a"), done)
    for number in range(20):
        say(writer, 1, f"{number}")
    db.open.set()
    await writer.finish()
    assert told_by_the_next_turn == [21]


async def test_the_next_transaction_does_not_wait_for_the_last_one_to_be_told(writer: Writer, db: Database) -> None:
    begun_meanwhile: list[bool] = []
    second = threading.Event()

    def done(outcome: Outcome) -> None:
        begun_meanwhile.append(second.wait(5))  # which holds up the loop

    db.on_begin = lambda: second.set() if db.begun == 2 else None
    db.open.clear()
    writer.append(sent(1, "a"), done)
    await until(lambda: db.begun)
    writer.append(sent(1, "b"), lambda outcome: None)
    db.open.set()
    await writer.finish()
    assert begun_meanwhile == [True]


async def test_as_long_as_there_is_something_to_store_one_connection_is_kept(
    writer: Writer, db: Database, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 2)
    run, taken = database.run, []

    async def counted(executor: Any, work: Callable[[], None]) -> None:
        taken.append(work)
        await run(executor, work)

    monkeypatch.setattr(database, "run", counted)
    for number in range(10):
        say(writer, 1, f"{number}")
    await writer.finish()
    assert (len(db.transactions), len(taken)) == (5, 1)


async def test_a_connection_that_had_trouble_is_not_kept(
    writer: Writer, db: Database, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    connection = SimpleNamespace(errors_occurred=False, close=lambda: closed.append(len(db.transactions)))
    monkeypatch.setattr(writing, "connection", connection)
    say(writer, 1, "a")
    await writer.finish()
    assert closed == []
    connection.errors_occurred = True
    say(writer, 1, "b")
    await writer.finish()
    assert closed == [2]


async def test_the_author_is_told_before_the_others_hear_and_never_before_the_commit(
    writer: Writer, db: Database, hub: Hub
) -> None:
    heard_by_then: list[int] = []
    db.open.clear()
    writer.append(sent(1, "a"), lambda outcome: heard_by_then.append(len(hub.told)))
    await settled()
    assert (heard_by_then, hub.told) == ([], [])
    db.open.set()
    await writer.finish()
    assert heard_by_then == [0]
    assert hub.told == [("1", 1)]


async def test_only_what_is_new_is_told_to_the_others(
    writer: Writer, db: Database, hub: Hub, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = Stored(1, 1, "a", ALICE, '"hi"', timezone.now(), fresh=False)
    outcomes: dict[str, Outcome] = {"a": again, "b": Differs(), "c": Removed(), "d": Unavailable()}
    monkeypatch.setattr(db, "store", lambda entry: outcomes[entry.id])
    for id in outcomes:
        say(writer, 1, id)
    await writer.finish()
    assert dict(say) == outcomes
    assert hub.told == []


# --- Locked rooms ------------------------------------------------------------------------------------


async def test_a_locked_room_waits_in_order_while_the_others_go_on(
    writer: Writer, db: Database, hub: Hub, say: Said
) -> None:
    db.locked = {1}
    for number in range(10):
        say(writer, 1, f"locked {number}")
        say(writer, 2, f"free {number}")
        await asyncio.sleep(0.002)
    await until(lambda: len(say) == 10)
    assert say.ids == [f"free {number}" for number in range(10)]
    db.locked.clear()
    say(writer, 1, "locked 10")
    await writer.finish()
    assert say.ids[10:] == [f"locked {number}" for number in range(11)]
    assert [seq for room, seq in hub.told if room == "1"] == list(range(1, 12))


async def test_a_long_queue_of_a_locked_room_keeps_its_order_over_several_transactions(
    writer: Writer, db: Database, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 3)
    db.locked = {1}
    for number in range(10):
        say(writer, 1, f"{number}")
    await until(lambda: len(db.transactions) > 8)
    db.locked.clear()
    await writer.finish()
    assert say.ids == [f"{number}" for number in range(10)]


async def test_who_waits_for_a_locked_room_too_long_is_told_to_come_back(
    writer: Writer, db: Database, say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ASIDE_SECONDS", 0.05)
    db.locked = {1}
    say(writer, 1, "a")
    await until(lambda: say)
    assert isinstance(say[0][1], Unavailable)
    await writer.finish()


# --- Bounds and trouble ------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["in front of a slow database", "behind a locked room"])
async def test_too_much_that_waits_is_refused_at_once(
    writer: Writer, db: Database, say: Said, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(writing, "MOST_WAITING", 5)
    if "slow" in where:
        db.open.clear()
    else:
        db.locked = {1}
    for number in range(8):
        say(writer, 1, f"{number}")
        await asyncio.sleep(0.002)
    assert say.ids == ["5", "6", "7"]
    assert all(isinstance(outcome, Unavailable) for _, outcome in say)
    db.open.set()
    db.locked.clear()
    await writer.finish()
    say(writer, 1, "8")
    await writer.finish()
    assert say.ids[3:] == ["0", "1", "2", "3", "4", "8"]


async def test_as_the_queue_fills_those_with_most_in_it_are_refused_first(
    writer: Writer, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_WAITING", 20)
    refused: dict[str, list[Outcome]] = {"mallory": [], "192.0.2.6": [], "bob": []}
    db.open.clear()

    def say(name: str, *whose: str) -> None:
        writer.append(sent(1, name), lambda outcome: refused[whose[-1]].append(outcome), whose)

    for _ in range(20):
        say("m", "mallory")
    assert len(refused["mallory"]) == 10  # as much as is left for others
    for number in range(20):
        say("m", f"new guest {number}", "192.0.2.6")
    assert len(refused["192.0.2.6"]) == 15  # who are many, but at one address
    say("b", "bob")
    assert refused["bob"] == []
    assert all(isinstance(outcome, TooMuch) for told in refused.values() for outcome in told)
    db.open.set()
    await writer.finish()
    assert [isinstance(outcome, Stored) for outcome in refused["bob"]] == [True]
    assert writer._shares == {}


async def test_whatever_the_database_throws_everybody_is_told_and_the_next_have_their_turn(
    writer: Writer, db: Database, say: Said, caplog: pytest.LogCaptureFixture
) -> None:
    db.error = RuntimeError("nobody expected this")
    say(writer, 1, "a")
    say(writer, 1, "b")
    await writer.finish()
    assert [type(outcome) for _, outcome in say] == [Unavailable] * 2
    assert "nobody expected this" in caplog.text
    db.error = None
    say(writer, 1, "c")
    await writer.finish()
    assert isinstance(say[-1][1], Stored)


@pytest.mark.parametrize("moment", ["at once", "while a locked room waits"])
async def test_where_no_thread_can_be_had_everybody_is_told_and_the_next_have_their_turn(
    writer: Writer, db: Database, say: Said, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    run = database.run

    async def fail(*args: Any) -> None:
        raise RuntimeError("can't start new thread")

    if "locked" in moment:
        db.locked = {1}
        say(writer, 1, "a")
        await until(lambda: len(db.transactions) > 2)
    monkeypatch.setattr(database, "run", fail)
    say(writer, 1, "b")
    await until(lambda: "b" in say.ids)
    assert {type(outcome) for _, outcome in say} == {Unavailable}
    monkeypatch.setattr(database, "run", run)
    db.locked.clear()
    say(writer, 1, "c")
    await writer.finish()
    assert isinstance(say[-1][1], Stored)
    assert say.ids == (["a", "b", "c"] if "locked" in moment else ["b", "c"])


async def test_trouble_while_a_locked_room_waits_forgets_nobody(writer: Writer, db: Database, say: Said) -> None:
    db.locked = {1}
    say(writer, 1, "a")
    await until(lambda: len(db.transactions) > 2)
    db.error = RuntimeError("nobody expected this")
    await until(lambda: say)
    assert isinstance(say[0][1], Unavailable)


async def test_one_who_cannot_be_told_does_not_cost_the_others_their_answer(
    writer: Writer, db: Database, hub: Hub, say: Said
) -> None:
    def fail(outcome: Outcome) -> None:
        raise RuntimeError("has gone")

    writer.append(sent(1, "a"), fail)
    say(writer, 1, "b")
    await writer.finish()
    assert say.ids == ["b"]
    assert hub.told == [("1", 1), ("1", 2)]


async def test_a_hub_in_trouble_does_not_cost_anybody_an_answer(
    writer: Writer, db: Database, hub: Hub, say: Said
) -> None:
    hub.broken = True
    say(writer, 1, "a")
    say(writer, 1, "b")
    await writer.finish()
    assert say.ids == ["a", "b"]


async def test_finish_waits_for_everything_that_was_accepted(writer: Writer, db: Database, say: Said) -> None:
    await writer.finish()
    db.open.clear()
    say(writer, 1, "a")
    finishing = asyncio.create_task(writer.finish())
    await settled()
    say(writer, 1, "b")
    assert not finishing.done()
    db.open.set()
    await asyncio.wait_for(finishing, 30)
    assert say.ids == ["a", "b"]

"""Alice and bob vote, in transactions and outside of them, and the numbers stay 1, 2, 3…"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction

import topics
from topics import BadData, Busy, Conflict, appending
from topics.data import SIGNAL_BYTES
from topics.errors import NoSuchEvent
from topics.models import Entry, Log, Notice
from topics.people import Person
from topics.storing import log, logs
from topics.storing.log import Differs, New, Outcome, Stored, append_all
from topics.storing.outcomes import Locked, Removed

from .declared import Orders, Votes

pytestmark = pytest.mark.django_db(transaction=True)
on_postgres = pytest.mark.postgres

ALICE = Person("guest:a", "alice", guest=True)
BOB = Person("guest:b", "bob", guest=True)
LUNCH = Votes(poll="lunch")


@pytest.fixture(autouse=True)
def forgotten() -> None:
    logs._known.clear()


def seqs(topic: Any = LUNCH) -> list[int]:
    return [event.seq for event in topic.events()]


@contextmanager
def undone() -> Iterator[None]:
    """A transaction, or a savepoint, that is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def in_threads(*work: Any) -> list[Any]:
    """What each returns or raises; each has a connection of its own."""

    def done(one: Any) -> Any:
        try:
            return one()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(done, work))


# --- One event ---------------------------------------------------------------------------------------


def test_events_are_numbered_from_1_in_each_topic() -> None:
    assert [LUNCH.append({"n": n}).seq for n in range(3)] == [1, 2, 3]
    assert Orders(number=1).append("paid").seq == 1
    assert seqs() == [1, 2, 3]


def test_what_is_returned_is_what_is_stored() -> None:
    event = LUNCH.append({"option": "pizza", "who": "你"}, id="abc", by=ALICE)
    assert LUNCH.events() == [event]
    assert LUNCH.event("abc") == event
    assert (event.seq, event.id, event.data, event.by) == (1, "abc", {"option": "pizza", "who": "你"}, ALICE)


def test_a_user_of_the_project_can_be_given_as_she_is() -> None:
    alice = get_user_model().objects.create_user("alice")
    event = LUNCH.append(1, by=alice)
    assert event.by == Person(f"user:{alice.pk}", "alice", guest=False, user_id=alice.pk)
    assert LUNCH.events()[0].by == event.by
    alice.delete()
    assert LUNCH.events()[0].by == Person(f"user:{event.by.user_id}", "alice", guest=False, user_id=None)


def test_the_same_id_and_data_again_is_the_same_event() -> None:
    event = LUNCH.append(1, id="a", by=ALICE)
    assert LUNCH.append(1, id="a", by=ALICE) == event
    assert seqs() == [1]


def test_the_same_id_with_other_data_is_a_conflict() -> None:
    LUNCH.append(1, id="a", by=ALICE)
    with pytest.raises(Conflict, match="'a'"):
        LUNCH.append(2, id="a", by=ALICE)
    assert seqs() == [1]


def test_an_id_of_alices_says_nothing_to_bob() -> None:
    assert LUNCH.append(1, id="a", by=ALICE).seq == 1
    assert LUNCH.append(2, id="a", by=BOB).seq == 2
    assert LUNCH.append(3, id="a").seq == 3


@pytest.mark.parametrize("id", ["", "a" * 65, "a\x00", "a\n", 5])
def test_an_id_that_is_none_is_refused(id: Any) -> None:
    with pytest.raises(BadData, match="id has 1 to 64"):
        LUNCH.append(1, id=id)
    assert Log.objects.count() == 0


@pytest.mark.parametrize("by", ["alice", 5, object()])
def test_an_author_who_is_none_is_refused(by: Any) -> None:
    with pytest.raises(TypeError, match="`by` is a user"):
        LUNCH.append(1, by=by)


def test_looking_makes_no_log_and_says_which_one_it_will_be() -> None:
    before = LUNCH.position()
    assert before.seq == 0
    assert LUNCH.events() == []
    assert LUNCH.event("a") is None
    assert Log.objects.count() == 0
    LUNCH.append("a")
    assert LUNCH.position() == (before.epoch, 1)


def test_an_anonymous_user_is_told_how_a_guest_is_named() -> None:
    with pytest.raises(TypeError, match="person_of"):
        LUNCH.append(1, by=AnonymousUser())


# --- In the caller's transaction -------------------------------------------------------------------


def test_a_rollback_leaves_nothing_and_no_hole() -> None:
    with undone():
        LUNCH.append(1)
    assert seqs() == []
    LUNCH.append(2)
    with undone():
        LUNCH.append(3)
    LUNCH.append(4)
    assert [(event.seq, event.data) for event in LUNCH.events()] == [(1, 2), (2, 4)]


@pytest.mark.parametrize("again", [LUNCH.append, lambda _: LUNCH.events()], ids=["appended", "read"])
def test_the_log_of_a_rollback_is_not_taken_for_another_topics(again: Any) -> None:
    """Its key may be given to another log, as SQLite does."""
    with undone():
        LUNCH.append("undone")
        again("undone")
    Votes(poll="dinner").append("pasta")
    assert LUNCH.events() == []
    assert logs.known(LUNCH.name) is None


def test_a_savepoints_rollback_leaves_no_hole_either() -> None:
    with transaction.atomic():
        LUNCH.append("kept")
        with undone():
            LUNCH.append("undone")
        assert LUNCH.append("next").seq == 2
    assert [event.data for event in LUNCH.events()] == ["kept", "next"]


def test_the_same_event_twice_in_one_transaction_is_one() -> None:
    with transaction.atomic():
        assert LUNCH.append(1, id="a") == LUNCH.append(1, id="a")
    assert seqs() == [1]


def test_after_the_commit_means_after_the_commit() -> None:
    with transaction.atomic():
        LUNCH.append(1, on_commit=True)
        assert Log.objects.count() == 0
    assert seqs() == [1]


def test_after_a_rollback_nothing_is_appended() -> None:
    with undone():
        LUNCH.append(1, on_commit=True)
    assert seqs() == []


def test_what_is_to_be_appended_later_is_checked_now() -> None:
    with transaction.atomic():
        with pytest.raises(BadData):
            LUNCH.append(object(), on_commit=True)
        with pytest.raises(BadData):
            LUNCH.append(1, id="", on_commit=True)


def test_a_signal_has_4_kib_as_on_a_socket() -> None:
    LUNCH.signal("a" * (SIGNAL_BYTES - 2))
    with pytest.raises(BadData, match="4096 bytes at most"):
        LUNCH.signal("ä" * (SIGNAL_BYTES // 2))


@on_postgres
def test_the_callers_own_lock_timeout_stays() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '7s'")
        LUNCH.append(1)
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("7s",)


async def test_async_code_has_the_same() -> None:
    event = await LUNCH.aappend({"n": 1}, id="a")
    assert await LUNCH.aevents() == [event]
    assert await LUNCH.aevent("a") == event
    assert await LUNCH.anumbered([1]) == [event]
    assert (await LUNCH.aposition()).seq == 1
    assert (await LUNCH.aamend(1, 2)).seq == 2
    assert (await LUNCH.aretract(1)).seq == 3
    assert await LUNCH.aappend(4, on_commit=True) is None
    assert (await LUNCH.aposition()).seq == 4
    await LUNCH.arecheck()
    await topics.arecheck(user=ALICE)
    await topics.adisconnect(topic=LUNCH)
    about = [row async for row in Notice.objects.order_by("pk").values_list("person", "topic", "out")]
    assert about == [("", LUNCH.name, False), (ALICE.key, "", False), ("", LUNCH.name, True)]
    await sync_to_async(lambda: connection.close())()  # that thread's own


# --- Many at once ----------------------------------------------------------------------------------


@on_postgres
def test_many_writers_leave_no_hole() -> None:
    def write(writer: int) -> None:
        for n in range(20):
            LUNCH.append(n, id=f"{n}", by=Person(f"guest:{writer}", "w", guest=True))

    assert in_threads(*[lambda writer=writer: write(writer) for writer in range(6)]) == [None] * 6  # type: ignore[misc]
    assert seqs() == list(range(1, 101))
    assert [event.seq for event in LUNCH.events(after=100)] == list(range(101, 121))


@on_postgres
def test_the_same_event_from_many_at_once_is_stored_once() -> None:
    for n in range(20):
        together = Barrier(4)

        def write(n: int = n, together: Barrier = together) -> Any:
            together.wait()
            return LUNCH.append(n, id=f"{n}", by=ALICE)

        assert len({event.seq for event in in_threads(write, write, write, write)}) == 1
    assert seqs() == list(range(1, 21))


@on_postgres
def test_the_loser_of_a_deadlock_gets_a_clear_error_and_can_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "WAIT_MS", 300)
    dinner = Votes(poll="dinner")
    LUNCH.append(0)
    dinner.append(0)
    both_hold = Barrier(2)

    def one_after_the_other(first: Votes, second: Votes) -> None:
        with transaction.atomic():
            first.append(1)
            both_hold.wait()
            second.append(1)

    told = in_threads(lambda: one_after_the_other(LUNCH, dinner), lambda: one_after_the_other(dinner, LUNCH))
    losers = [error for error in told if error is not None]
    assert losers
    assert all(isinstance(error, Busy) and "try again" in str(error) for error in losers)
    assert len(seqs()) == len(seqs(dinner)) == 3 - len(losers)


@on_postgres
def test_a_topic_that_is_held_too_long_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "WAIT_MS", 50)
    LUNCH.append(0)
    held, tried = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            LUNCH.append(1)
            held.set()
            tried.wait(10)

    def attempt() -> Any:
        held.wait(10)
        try:
            return LUNCH.append(2)
        finally:
            tried.set()

    _, refused = in_threads(hold, attempt)
    assert isinstance(refused, Busy)
    assert LUNCH.append(3).seq == 3


# --- A group ---------------------------------------------------------------------------------------


def new(id: str, data: str = "1", person: Person | None = ALICE, topic: Any = LUNCH) -> New:
    return New(logs.key_of(topic, person), id, person, data)


def numbers(outcomes: list[Outcome]) -> list[int]:
    return [outcome.seq for outcome in outcomes if isinstance(outcome, Stored)]


def test_a_group_is_stored_in_order_each_with_its_outcome() -> None:
    outcomes = append_all([new("a"), new("a", topic=Votes(poll="b")), new("b"), new("a"), new("a", "2")])
    assert numbers(outcomes) == [1, 1, 2, 1]
    assert [isinstance(outcome, Stored) and outcome.fresh for outcome in outcomes] == [True, True, True, False, False]
    assert isinstance(outcomes[-1], Differs)


def test_a_long_group_stays_in_order() -> None:
    assert numbers(append_all([new(f"{n}", f"{n}") for n in range(100)])) == list(range(1, 101))
    assert [event.data for event in LUNCH.events()] == list(range(100))


def test_one_that_cannot_be_stored_hinders_nobody() -> None:
    ghost = Person("user:999", "ghost", guest=False, user_id=999_999)
    outcomes = append_all([new("a"), new("b", person=ghost), new("c")])
    assert numbers(outcomes) == [1, 2]
    assert isinstance(outcomes[1], Removed)
    assert seqs() == [1, 2]


def test_what_is_for_a_log_that_is_gone_is_told_so() -> None:
    gone = New(999_999, "a", ALICE, "1")
    outcomes = append_all([new("a"), gone])
    assert numbers(outcomes) == [1]
    assert isinstance(outcomes[1], Removed)


@on_postgres
def test_a_held_log_is_set_aside_and_the_others_go_on() -> None:
    other = Votes(poll="other")
    LUNCH.append(0)
    other.append(0)
    held, tried = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            LUNCH.append(1)
            held.set()
            tried.wait(10)

    def group() -> list[Outcome]:
        held.wait(10)
        try:
            return append_all([new("a"), new("a", topic=other)])
        finally:
            tried.set()

    _, outcomes = in_threads(hold, group)
    assert isinstance(outcomes[0], Locked)
    assert numbers(outcomes) == [2]


@on_postgres
def test_an_event_alone_is_one_question(django_assert_num_queries: Any) -> None:
    LUNCH.append(0)
    with django_assert_num_queries(1):
        LUNCH.append(1)
    with transaction.atomic(), django_assert_num_queries(1):
        LUNCH.append(2)


# --- Changes ---------------------------------------------------------------------------------------


def test_an_amended_event_is_replayed_with_the_result_and_the_old_data_is_gone() -> None:
    LUNCH.append("first", id="a", by=ALICE)
    LUNCH.append("second")
    change = LUNCH.amend(1, "better", by=BOB)
    assert (change.seq, change.about, change.data, change.by) == (3, 1, "better", BOB)
    assert [(event.seq, event.about, event.data) for event in LUNCH.events()] == [
        (1, None, "better"),
        (2, None, "second"),
        (3, 1, "better"),
    ]
    assert not Entry.objects.filter(data__contains="first").exists()


def test_of_a_retracted_event_nothing_is_left_but_that_there_was_one() -> None:
    LUNCH.append("secret", by=ALICE)
    change = LUNCH.retract(1)
    assert (change.seq, change.about, change.retracted, change.data) == (2, 1, True, None)
    assert [(event.retracted, event.data) for event in LUNCH.events()] == [(True, None), (True, None)]
    assert not Entry.objects.filter(data__contains="secret").exists()


def test_an_earlier_change_shows_the_latest_result() -> None:
    LUNCH.append("first")
    LUNCH.amend(1, "second")
    LUNCH.amend(1, "third")
    LUNCH.append("other")
    assert [event.data for event in LUNCH.events()] == ["third", "third", "third", "other"]
    LUNCH.retract(1)
    assert [event.data for event in LUNCH.events()] == [None, None, None, "other", None]


@pytest.mark.parametrize("seq", [0, -1, 1.5, "1", 2, 3, 99])
def test_what_is_no_event_cannot_be_changed(seq: Any) -> None:
    LUNCH.append("first")
    LUNCH.append("gone")
    LUNCH.retract(2)
    for change in (lambda: LUNCH.amend(seq, "x"), lambda: LUNCH.retract(seq)):
        with pytest.raises(NoSuchEvent):
            change()
    assert seqs() == [1, 2, 3]


def test_an_event_that_was_changed_since_is_still_the_same_to_who_sends_it_again() -> None:
    event = LUNCH.append("first", id="a", by=ALICE)
    LUNCH.amend(1, "moderated")
    assert LUNCH.append("first", id="a", by=ALICE).seq == event.seq
    LUNCH.retract(1)
    assert LUNCH.append("first", id="a", by=ALICE).seq == event.seq


# --- Pages -----------------------------------------------------------------------------------------


def test_events_come_in_pages_from_either_end() -> None:
    for n in range(10):
        LUNCH.append(n)
    assert [event.seq for event in LUNCH.events(after=3, limit=3)] == [4, 5, 6]
    assert [event.seq for event in LUNCH.events(before=5, limit=3)] == [2, 3, 4]
    assert [event.seq for event in LUNCH.events(after=3, before=5)] == [4]
    assert LUNCH.events(after=10) == LUNCH.events(before=1) == LUNCH.events(limit=0) == []


def test_what_others_appended_is_unread_until_it_is_read() -> None:
    for n in range(3):
        LUNCH.append(n, by=BOB)
    LUNCH.append(3, by=ALICE)
    LUNCH.retract(3)
    assert LUNCH.unread(ALICE) == 2
    LUNCH.read_up_to(ALICE, 1)
    assert LUNCH.unread(ALICE) == 1
    LUNCH.read_up_to(ALICE, 5)
    LUNCH.read_up_to(ALICE, 2)
    assert LUNCH.unread(ALICE) == 0
    assert LUNCH.unread(BOB) == 1


def test_a_log_that_was_deleted_begins_anew() -> None:
    LUNCH.append(1)
    first = LUNCH.position()
    Log.objects.all().delete()
    assert LUNCH.append(2).seq == 1
    assert LUNCH.position().epoch != first.epoch


def test_the_constraint_holds_whatever_the_code_does() -> None:
    LUNCH.append(1)
    entry = Entry.objects.get()
    entry.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save()
    assert log.append_all([]) == []


def test_events_are_read_by_their_numbers_as_they_are_by_now(django_assert_num_queries: Any) -> None:
    for number in range(4):
        LUNCH.append({"option": number})
    LUNCH.amend(2, {"option": "other"})
    LUNCH.retract(3)
    with django_assert_num_queries(1):
        found = LUNCH.numbered([3, 1, 2, 2, 5, 9, 0, -1, 2**70])
    assert [(event.seq, event.data, event.retracted) for event in found] == [
        (1, {"option": 0}, False),
        (2, {"option": "other"}, False),
        (3, None, True),
    ]
    with django_assert_num_queries(0):
        assert LUNCH.numbered([]) == []
    with pytest.raises(ValueError, match="1000 numbers"):
        LUNCH.numbered(range(1, 1_002))

"""What a group does in a database's bad times, and what is read in one go: alice and bob append to two topics."""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    DataError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.utils import timezone

from topics.models import Log
from topics.people import Person
from topics.storing import log, logs, statements
from topics.storing.log import New, Outcome, Stored, append_all
from topics.storing.outcomes import Locked, Unavailable, Unstorable
from topics.storing.replay import Page, changed, read_all
from topics.storing.statements import Answer, Row

from .declared import Chat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_topics")]

ALICE = Person("guest:a", "alice", guest=True)
OPEN, OTHER = Chat(name_of_it="open"), Chat(name_of_it="other")


def new(id: str, data: str = '"hi"', topic: Chat = OPEN) -> New:
    return New(logs.key_of(topic, ALICE), id, ALICE, data)


def say(*ids: str) -> list[Outcome]:
    return append_all([new(id) for id in ids])


def numbers(outcomes: Sequence[Outcome]) -> list[int]:
    return [outcome.seq for outcome in outcomes if isinstance(outcome, Stored)]


def stored() -> list[int]:
    return [event.seq for event in OPEN.events()]


def test_a_statement_that_fails_leaves_no_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    say("a")
    append = statements.append

    def fail(*args: Any, **kwargs: Any) -> None:
        append(*args, **kwargs)
        raise OperationalError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(statements, "append", fail)
        news = [new("b"), new("c")]
        with contextlib.suppress(OperationalError), transaction.atomic():
            log.in_one_transaction(news)
        assert stored() == [1]
    assert numbers(say("c", "b")) == [2, 3]


@pytest.fixture
def choosy(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Nothing can be stored together with what is bad; how many were tried together."""
    tries: list[int] = []
    append = statements.append

    def refuse(rows: Sequence[Row], **options: Any) -> list[Answer]:
        tries.append(len(rows))
        if any(row["data"] == '"bad"' for row in rows):
            raise DataError("cannot be stored")
        return append(rows, **options)

    monkeypatch.setattr(statements, "append", refuse)
    return tries


def test_one_event_that_cannot_be_stored_does_not_hinder_the_others(choosy: list[int]) -> None:
    outcomes = append_all([new("a"), new("b", '"bad"'), new("c"), new("a")])
    assert numbers(outcomes) == [1, 2, 1]
    assert isinstance(outcomes[1], Unstorable)
    assert stored() == [1, 2]


def test_one_event_that_cannot_be_stored_is_found_in_few_tries(choosy: list[int]) -> None:
    said = [new(f"{number}", '"bad"' if number == 40 else '"good"') for number in range(64)]
    assert len(numbers(append_all(said))) == 63
    assert len(choosy) <= 1 + 2 * 6  # halves of halves, down to one


def test_nobody_overtakes_an_event_that_met_a_locked_log(monkeypatch: pytest.MonkeyPatch) -> None:
    append, locked = statements.append, logs.key_of(OPEN, ALICE)
    tries: list[int] = []

    def busy_for_a_moment(rows: Sequence[Row], **options: Any) -> list[Answer]:
        tries.append(len(rows))
        if len(tries) == 1:
            raise DataError("cannot be stored")
        if len(tries) == 2:
            return [Answer(row["place"], row["log_id"] != locked, None, None, None) for row in rows]
        return append(rows, **options)

    monkeypatch.setattr(statements, "append", busy_for_a_moment)
    outcomes = append_all([new("a"), new("b", topic=OTHER), new("c")], skip_locked=True)
    assert [type(outcome) for outcome in outcomes] == [Locked, Stored, Locked]


@pytest.mark.parametrize("text", ["'; --", "100 % %s", "\\n\\t", "你好🙂", "x" * 4_000])
def test_a_text_is_stored_as_it_was_said(text: str) -> None:
    OPEN.append(text, id=text[:64], by=Person("guest:a", text[:150], guest=True))
    (event,) = OPEN.events()
    assert event.by is not None
    assert (event.id, event.data, event.by.name) == (text[:64], text, text[:150])


def test_guests_who_are_not_known_share_their_ids_and_have_their_names() -> None:
    first, second = (Person(f"guest:{n}", "Otter", guest=True, known=False).as_author for n in range(2))
    assert OPEN.append("hi", id="a", by=first).seq == OPEN.append("hi", id="a", by=second).seq == 1
    (event,) = OPEN.events()
    assert event.by is not None
    assert (event.by.name, event.by.guest, event.by.known) == ("Otter", True, False)


def refused(state: str, kind: type[DatabaseError]) -> DatabaseError:
    """As Django raises it for an error of Postgres with that SQLSTATE."""
    error, cause = kind("no"), Exception()
    cause.sqlstate = state  # type: ignore[attr-defined]
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "outcome", "tries"),
    [
        (refused("22P05", DataError), Unstorable, 3),  # an emoji in LATIN1
        (refused("22021", DataError), Unstorable, 3),
        (refused("54000", OperationalError), Unstorable, 3),
        (ValueError("half a surrogate"), Unstorable, 3),
        (refused("25006", InternalError), Unavailable, 1),  # read-only
        (refused("53100", OperationalError), Unavailable, 1),  # the disk is full
        (refused("57P01", OperationalError), Unavailable, 1),
        (refused("40P01", OperationalError), Unavailable, 1),
        (refused("XX002", InternalError), Unavailable, 3),  # it may be one log's index
        (refused("42P01", ProgrammingError), Unavailable, 3),
        (InterfaceError("the connection is closed"), Unavailable, 1),
        (OperationalError("nobody listens there"), Unavailable, 1),
    ],
    ids=str,
)
def test_what_can_never_be_stored_is_refused_for_good_and_what_passes_is_not(
    monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: type[Exception], tries: int
) -> None:
    news, asked = [new("a"), new("b")], []

    def fail(news: Sequence[New], **options: Any) -> list[Outcome]:
        asked.append(len(news))
        raise error

    monkeypatch.setattr(log, "in_one_transaction", fail)
    assert [type(told) for told in append_all(news)] == [outcome] * 2
    assert len(asked) == tries  # halves only where one of them may be to blame


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_to_blame_is_given_up_and_another_one_tried_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    news = [new(id) for id in "abcd"]
    real, tries = log.in_one_transaction, []

    def bad_at_first(news: Sequence[New], **options: Any) -> list[Outcome]:
        tries.append(len(news))
        if len(tries) in bad:
            raise refused("25006", InternalError)
        return real(news, **options)

    monkeypatch.setattr(log, "in_one_transaction", bad_at_first)
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    monkeypatch.setattr(connection, "close", lambda: closed.append(1))
    closed: list[int] = []
    bad = {1}
    assert numbers(append_all(news[:2])) == [1, 2]
    assert (tries, closed) == ([2, 2], [1])
    bad = {3, 4}
    assert [type(outcome) for outcome in append_all(news[2:])] == [Unavailable] * 2
    assert (len(tries), closed) == (4, [1, 1])


def test_nothing_to_append_asks_for_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert append_all([]) == []


# --- Reading -----------------------------------------------------------------------------------------


def fill(topic: Chat, count: int) -> int:
    """So many events; the key of their log."""
    append_all([new(f"{number}", topic=topic) for number in range(count)])
    return logs.key_of(topic, None)


def test_only_logs_that_were_appended_to_lately_have_changed() -> None:
    fill(OTHER, 1)
    Log.objects.update(changed_at=timezone.now() - timedelta(minutes=10))
    logs.key_of(Chat(name_of_it="quiet"), None)
    fill(OPEN, 3)
    assert changed(2) == [(OPEN.name, OPEN.position().epoch, 3)]
    assert {name for name, *_ in changed(600)} == {OPEN.name, OTHER.name}  # after a long silence of the database


def test_many_pages_of_many_logs_take_one_query(django_assert_num_queries: Any) -> None:
    here, there = fill(OPEN, 10), fill(OTHER, 5)
    pages = [Page(here, 4, 3), Page(here, 5, 1), Page(there, 0, 9), Page(there, 5, 9), Page(here, 2, 0)]
    with django_assert_num_queries(1):
        found = read_all(pages)
    assert [[event.seq for event in found[page]] for page in pages] == [[5, 6, 7], [6], [1, 2, 3, 4, 5], [], []]
    assert found[pages[0]][1] is found[pages[1]][0]


def test_where_nothing_is_to_be_read_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert read_all([]) == {}
        assert read_all([Page(1, 3, 0)]) == {Page(1, 3, 0): []}

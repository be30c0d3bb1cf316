"""Many topics are begun in one moment, after a game has started for example: what one of them says hinders no other."""

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from topics import Refused
from topics.delivery.sending import Sent, append_sent
from topics.models import Log
from topics.people import Person
from topics.storing import logs
from topics.storing.log import Stored

from .declared import Begun, Chat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_topics")]

ALICE = Person("user:1", "alice", guest=False)
MALLORY = Person("guest:m", "mallory", guest=True)


def begin(*topics: Any, by: Person = ALICE) -> list[Any]:
    return append_sent([Sent(topic, "a", by, "1") for topic in topics], skip_locked=False)


def chats(*numbers: int) -> list[Chat]:
    return [Chat(name_of_it=str(number)) for number in numbers]


@pytest.mark.django_db(transaction=True)
def test_ten_cost_hardly_more_queries_than_two() -> None:
    with CaptureQueriesContext(connection) as two:
        begin(*chats(1, 2), by=Person("", "nobody", guest=True, known=False))
    with CaptureQueriesContext(connection) as ten:
        outcomes = begin(*chats(*range(3, 13)), by=Person("", "nobody", guest=True, known=False))
    assert [outcome.seq for outcome in outcomes] == 10 * [1]
    savepoints = 8 * 2
    assert len(ten) <= len(two) + savepoints


def test_those_that_are_there_are_found_and_those_that_are_not_are_made() -> None:
    logs.make_all([logs.Wanted(topic, None) for topic in chats(1, 3)])
    logs.forget_all()
    outcomes = begin(*chats(1, 2, 3, 4))
    assert all(isinstance(outcome, Stored) for outcome in outcomes)
    assert sorted(Log.objects.values_list("name", flat=True)) == ["chat/1", "chat/2", "chat/3", "chat/4"]


def test_who_is_refused_to_begin_one_hinders_nobody_and_leaves_nothing() -> None:
    refused, stored = begin(Begun(it="a"), Chat(name_of_it="b"), by=MALLORY)
    assert (isinstance(refused, Refused), refused.code) == (True, "members_only")
    assert (stored.seq, Log.objects.get().name) == (1, "chat/b")


def test_what_one_is_refused_another_may_begin_in_the_same_moment() -> None:
    topic = Begun(it="a")
    entries = [
        Sent(topic, "1", MALLORY, "1"),
        Sent(Chat(name_of_it="b"), "2", ALICE, "1"),
        Sent(topic, "3", ALICE, "1"),
    ]
    refused, _, stored = append_sent(entries, skip_locked=False)
    assert isinstance(refused, Refused)
    assert (stored.seq, stored.person) == (1, ALICE)


def test_what_is_begun_together_counts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chat, "new_per_hour", 2)
    outcomes = begin(*chats(1, 2, 3, 4), by=MALLORY)
    assert [isinstance(outcome, Stored) for outcome in outcomes] == [True, True, False, False]
    assert [outcome.code for outcome in outcomes[2:]] == 2 * ["too_many_new_topics"]


@pytest.mark.parametrize("mistake", [ValueError("a mistake in somebody's code"), DatabaseError("no such table")])
def test_a_mistake_in_one_topics_own_code_costs_the_others_nothing(
    mistake: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def begin_wrongly(self: Begun, person: Person | None) -> None:
        raise mistake

    monkeypatch.setattr(Begun, "begin", begin_wrongly)
    wrong, stored = begin(Begun(it="a"), Chat(name_of_it="b"))
    assert not isinstance(wrong, Stored)
    assert stored.seq == 1
    assert "begun/a" in caplog.text

"""What an operator sees of topics, and how old events go."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from topics import Topic, routes
from topics.models import Entry, Log
from topics.people import Person
from topics.storing import logs, pruning

from .declared import Orders, Votes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_topic_that_keeps_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    logs._known.clear()
    monkeypatch.setattr(routes, "classes", [*routes.classes])


class Ticks(Topic):
    route = "ticks/<slug:market>"
    keep = timedelta(days=1)

    def may(self, person: Person, act: str) -> bool:
        """Everybody may read, nobody may write."""
        return act == "read"


def said(command: str) -> str:
    out = StringIO()
    call_command(command, stdout=out, no_color=True)
    return out.getvalue()


def age(topic: Topic, seq: int, days: float) -> None:
    Entry.objects.filter(log__name=topic.name, seq=seq).update(at=timezone.now() - timedelta(days=days))


def test_topics_are_listed_with_what_they_hold_and_who_may() -> None:
    Votes(poll="lunch").append(1)
    Votes(poll="dinner").append(1)
    Votes(poll="dinner").append(2)
    Log.objects.create(name="gone/1", seq=7)
    listed = said("topics")
    assert "votes/<slug:poll>\n  class   " in listed
    assert "2 topics with 3 events, kept for ever" in listed
    assert "may     Everybody may read, nobody may write." in listed
    assert "declared.py:" in listed
    assert "1 logs with 7 events belong to no route." in listed


def test_a_project_without_topics_is_told_how_to_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "classes", [])
    assert "There is no topic" in said("topics")


def test_old_events_go_and_numbers_are_not_given_again() -> None:
    ticks, votes = Ticks(market="a"), Votes(poll="lunch")
    for n in range(4):
        ticks.append(n)
    votes.append(1)
    for topic, seq, days in [(ticks, 1, 3), (ticks, 2, 2), (ticks, 3, 0.5), (votes, 1, 900)]:
        age(topic, seq, days)
    assert "ticks/a: 2 removed" in said("prune")
    assert [event.seq for event in ticks.events()] == [3, 4]
    assert [event.seq for event in votes.events()] == [1]
    assert Log.objects.get(name="ticks/a").pruned == 2
    age(ticks, 3, 2)
    age(ticks, 4, 2)
    said("prune")
    assert ticks.events() == []
    assert ticks.append("next").seq == 5
    assert said("prune") == "0 events removed.\n"


def test_a_long_log_is_pruned_in_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    ticks = Ticks(market="a")
    for n in range(5):
        ticks.append(n)
        age(ticks, n + 1, 2)
    assert pruning.prune(Log.objects.get(), timedelta(days=1)) == 5
    assert Orders(number=1).append(1).seq == 1

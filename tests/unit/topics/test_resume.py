"""What sockets are shown when they join: bob comes back, carol is new."""

import json
from typing import Any

import pytest

from topics.delivery import resume
from topics.delivery.resume import Snapshot, Wish, snapshots
from topics.models import Entry, Log
from topics.people import Person
from topics.storing import logs
from topics.storing.log import New, append_all
from topics.topic import Topic

from .declared import Chat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_topics")]

ALICE = Person("guest:a", "alice", guest=True)
OPEN = Chat(name_of_it="open")


def say(topic: Topic, *ids: str, data: str = "hi") -> None:
    key = logs.key_of(topic, ALICE)
    append_all([New(key, id, ALICE, json.dumps(data, ensure_ascii=False)) for id in ids])


def fill(count: int, data: str = "hi", topic: Topic = OPEN) -> str:
    """So many events; the epoch of their log."""
    say(topic, *(f"{number}" for number in range(1, count + 1)), data=data)
    return topic.position().epoch


def snapshot(since: int | None = None, epoch: str | None = None) -> Snapshot:
    wish = Wish(OPEN.name, since, epoch)
    return snapshots([wish])[wish]


def numbers(frames: list[str]) -> list[int]:
    return [json.loads(frame)["seq"] for frame in frames]


def test_a_newcomer_sees_the_latest_events() -> None:
    fill(resume.LATEST + 5)
    found = snapshot()
    assert numbers(found.frames) == list(range(6, resume.LATEST + 6))
    assert (found.recovered, found.seq, found.position) == (False, resume.LATEST + 5, resume.LATEST + 5)


def test_a_topic_without_a_log_says_which_epoch_it_will_have() -> None:
    epoch = snapshot().epoch_to_be
    assert snapshot()[:7] == ("", 0, False, [], 0, epoch, None)
    for nothing_yet in ("", epoch):
        assert snapshot(0, nothing_yet)[:7] == ("", 0, True, [], 0, epoch, None)
    assert fill(1) == epoch
    assert snapshot(0, epoch).recovered
    assert numbers(snapshot(0, "").frames) == [1]


def test_who_returns_gets_what_was_missed_and_only_that() -> None:
    found = snapshot(7, fill(10))
    assert numbers(found.frames) == [8, 9, 10]
    assert (found.recovered, found.position) == (True, 10)


def test_who_missed_nothing_is_told_so() -> None:
    epoch = fill(10)
    assert snapshot(10, epoch)[:7] == (epoch, 10, True, [], 10, epoch, None)


def test_who_missed_much_gets_the_beginning_and_the_rest_follows() -> None:
    found = snapshot(3, fill(resume.LATEST + 20))
    assert numbers(found.frames) == list(range(4, 4 + resume.LATEST))
    assert found.position == 3 + resume.LATEST
    assert found.recovered


@pytest.mark.parametrize("behind", [resume.FARTHEST, resume.FARTHEST + 1])
def test_who_missed_more_than_a_thousand_starts_afresh(behind: int) -> None:
    epoch, last = fill(1), resume.FARTHEST + 10
    Log.objects.update(seq=last)
    assert snapshot(last - behind, epoch).recovered is (behind == resume.FARTHEST)


@pytest.mark.parametrize(("since", "epoch"), [(5, "another"), (5, None), (None, "same"), (11, "same"), (5, "")])
def test_where_it_cannot_be_told_what_was_missed_one_starts_afresh(since: int | None, epoch: str | None) -> None:
    own = fill(10)
    found = snapshot(since, own if epoch == "same" else epoch)
    assert not found.recovered
    assert numbers(found.frames) == list(range(1, 11))
    assert found.position == 10


def test_what_is_shown_holds_no_more_than_32_kib_and_no_hole() -> None:
    epoch = fill(20, data="🙂" * 1_000)
    newcomer, returned = snapshot(), snapshot(2, epoch)
    for found in (newcomer, returned):
        assert sum(len(frame.encode()) + 1 for frame in found.frames) <= resume.JOINED_BYTES
    fit = len(returned.frames)
    assert 0 < fit < 10
    assert numbers(newcomer.frames) == list(range(21 - fit, 21))
    assert numbers(returned.frames) == list(range(3, 3 + fit))
    assert returned.position == 2 + fit


def test_what_comes_after_the_look_at_the_log_is_left_for_later() -> None:
    epoch = fill(4)
    Log.objects.update(seq=3)  # as it was when it was looked at
    assert numbers(snapshot().frames) == [1, 2, 3]
    assert numbers(snapshot(1, epoch).frames) == [2, 3]


def test_where_an_event_is_missing_from_the_log_nobody_gets_another_one_twice() -> None:
    epoch = fill(4)
    Entry.objects.filter(seq=2).delete()
    found = snapshot(1, epoch)
    assert len(found.frames) == 2
    assert found.position == 4


def test_a_crowds_snapshots_take_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    topics = [Chat(name_of_it=f"topic-{number}") for number in range(10)]
    epochs = {topic: fill(5, topic=topic) for topic in topics}
    wishes = [Wish(topic.name, since, epochs[topic]) for topic in topics for since in (None, 0, 3, 4, 5, 99)]
    with django_assert_num_queries(2):
        found = snapshots(wishes)
    assert [found[wish] for wish in wishes] == [snapshots([wish])[wish] for wish in wishes]


def test_whoever_missed_nothing_costs_one_query(django_assert_num_queries: Any) -> None:
    epoch = fill(5)
    with django_assert_num_queries(1):
        assert snapshot(5, epoch).recovered


class Loud:
    """A dialect that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def translate(self, frame: str) -> str:
        self.asked += 1
        return frame.upper()


def test_what_many_are_shown_is_put_into_each_dialect_once() -> None:
    epoch, loud = fill(5), Loud()
    wishes = [Wish(OPEN.name, since, epoch, dialect) for since in range(5) for dialect in (None, loud)]
    found = snapshots(wishes)
    assert loud.asked == 5
    for wish in wishes:
        assert all(frame.isupper() is (wish.dialect is loud) for frame in found[wish].frames)

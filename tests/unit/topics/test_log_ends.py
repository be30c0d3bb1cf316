"""How a topic's log begins, gets another name, and ends: alice and bob follow, carol comes later."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from topics import Conflict, NoSuchEvent, Refused
from topics.delivery.sending import Sent, append_sent
from topics.models import Entry, Log, Read
from topics.people import Person
from topics.storing import logs
from topics.storing.log import New, append_all
from topics.storing.outcomes import Removed

from .declared import Begun, Chat

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_topics")]

ALICE = Person("user:1", "alice", guest=False)
BOB = Person("guest:b", "bob", guest=True)
OPEN, OTHER = Chat(name_of_it="open"), Chat(name_of_it="other")


# --- The beginning -------------------------------------------------------------------------------------


def test_a_topic_is_asked_once_before_its_first_event() -> None:
    for _ in range(3):
        Begun(it="a").append("hi")
    Begun(it="b").append("hi")
    assert Begun.begun == ["a", "b"]


def test_who_may_not_begin_is_told_why_and_leaves_nothing() -> None:
    with pytest.raises(Refused, match="Members begin") as refused:
        Begun(it="a").append("hi", by=BOB)
    assert refused.value.code == "members_only"
    assert not Log.objects.exists()
    user = get_user_model().objects.create_user("alice")
    Begun(it="a").append("hi", by=user)
    assert Begun(it="a").append("ho", by=BOB).seq == 2


def test_of_what_came_together_only_what_may_not_begin_is_refused() -> None:
    a, b = Begun(it="a"), Begun(it="b")
    b.append("hi")
    outcomes = append_sent([Sent(topic, "1", BOB, '"hi"') for topic in (a, b, OPEN)], skip_locked=False)
    assert isinstance(outcomes[0], Refused)
    assert [getattr(outcome, "seq", None) for outcome in outcomes[1:]] == [2, 1]


@pytest.mark.django_db(transaction=True)
def test_a_beginning_that_is_taken_back_is_asked_for_again() -> None:
    with transaction.atomic():
        Begun(it="a").append("hi")
        transaction.set_rollback(True)
    assert Begun(it="a").append("hi").seq == 1
    assert Begun.begun == ["a", "a"]


# --- The end -------------------------------------------------------------------------------------------


def test_a_topic_that_was_deleted_begins_anew_as_another_log() -> None:
    OPEN.append("a")
    OPEN.append("b")
    OPEN.read_up_to(ALICE, 1)
    before = OPEN.position()
    OPEN.delete()
    assert OPEN.position().seq == 0
    assert OPEN.events() == []
    assert not Entry.objects.exists()
    assert not Read.objects.exists()
    assert OPEN.append("c").seq == 1
    assert OPEN.position().epoch != before.epoch


def test_what_nobody_has_appended_to_can_be_deleted() -> None:
    OPEN.delete()
    assert OPEN.position().seq == 0


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_taken_back_never_was() -> None:
    OPEN.append("a")
    before = OPEN.position()
    with transaction.atomic():
        OPEN.delete()
        transaction.set_rollback(True)
    assert OPEN.position() == before
    assert OPEN.append("b").seq == 2


def test_who_follows_a_log_that_is_gone_does_not_begin_another_and_who_follows_none_does() -> None:
    OPEN.append("a")
    epoch = OPEN.position().epoch
    OPEN.delete()
    for _ in range(2):  # also once it is known that the log is gone
        (outcome,) = append_sent([Sent(OPEN, "1", ALICE, '"hi"', epoch)], skip_locked=False)
        assert isinstance(outcome, Removed)
    assert OPEN.position().seq == 0
    (stored,) = append_sent([Sent(OPEN, "1", BOB, '"hi"')], skip_locked=False)
    assert getattr(stored, "seq", None) == 1
    (outcome,) = append_sent([Sent(OPEN, "1", ALICE, '"hi"', epoch)], skip_locked=False)
    assert isinstance(outcome, Removed)


def test_a_process_that_remembers_a_log_that_another_has_deleted_reads_the_new_one() -> None:
    OPEN.append("a")
    remembered = dict(logs._known) or {OPEN.name: logs.remember(Log.objects.get())}
    OPEN.delete()
    OPEN.append("b")
    logs._known.clear()
    logs._known.update(remembered)
    assert [event.data for event in OPEN.events()] == ["b"]
    logs._known.update(remembered)
    assert OPEN.append("c").seq == 2


# --- Another name --------------------------------------------------------------------------------------


def test_a_topic_that_moves_keeps_its_numbers_and_leaves_nothing_behind() -> None:
    OPEN.append("a", by=ALICE)
    OPEN.append("b")
    OPEN.read_up_to(BOB, 2)
    before = OPEN.position()
    OPEN.move(OTHER)
    assert OTHER.position() == before
    assert [event.data for event in OTHER.events()] == ["a", "b"]
    assert OTHER.unread(BOB) == 0
    assert OPEN.position().seq == 0
    assert OTHER.append("c").seq == 3
    OPEN.append("another")
    assert OPEN.position().epoch != before.epoch


def test_whoever_remembers_the_old_name_does_not_append_under_the_new_one() -> None:
    OPEN.append("a")
    key = Log.objects.get().pk
    OPEN.move(OTHER)
    (outcome,) = append_all([New(key, "1", ALICE, '"hi"')])
    assert isinstance(outcome, Removed)
    assert OTHER.position().seq == 1


def test_a_topic_does_not_move_to_where_others_are() -> None:
    OPEN.append("a")
    OTHER.append("b")
    with pytest.raises(Conflict):
        OPEN.move(OTHER)
    OPEN.move(OPEN)
    assert [topic.events()[0].data for topic in (OPEN, OTHER)] == ["a", "b"]


def test_of_a_topic_without_events_none_can_be_changed() -> None:
    for change in (lambda: OPEN.amend(1, "x"), lambda: OPEN.retract(1)):
        with pytest.raises(NoSuchEvent):
            change()
    assert not Log.objects.exists()


# --- Which there are -----------------------------------------------------------------------------------


def test_the_recent_topics_of_a_class_are_those_with_events_the_last_one_first() -> None:
    Begun(it="a").append("hi")
    for topic in (OPEN, OTHER, OPEN):
        topic.append("hi")
    Log.objects.filter(name=OTHER.name).update(changed_at=timezone.now() - timedelta(minutes=1))  # it is to a second
    logs.key_of(Chat(name_of_it="empty"), None)
    Log.objects.create(name="chat/no such name", seq=1)
    assert [(topic, seq) for topic, seq, _ in Chat.recent()] == [(OPEN, 2), (OTHER, 1)]
    Log.objects.filter(name="chat/no such name").delete()
    assert [topic.name_of_it for topic, *_ in Chat.recent(1)] == ["open"]

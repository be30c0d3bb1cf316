"""The log of a room: alice and bob say things, some of them twice, and the numbers stay 1, 2, 3…"""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import (
    DatabaseError,
    DataError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from django.db.models.signals import post_init
from django.utils import timezone

from rooms import log, statements
from rooms.log import Conflict, Entry, Outcome, Page, Stored, append_all, changed, read, read_all
from rooms.models import Message, Room
from rooms.statements import Log, Row
from topics.outcomes import Removed, Unavailable, Unstorable
from topics.people import Person, guest_of, of_user

pytestmark = pytest.mark.django_db

ALICE = Person("guest:a", "alice", guest=True)
BOB = Person("guest:b", "bob", guest=True)
NOBODY = Person("user:9", "deleted", guest=False, user_id=999_999)


@pytest.fixture
def room() -> Room:
    return Room.objects.enter("lobby")


def entry(room: Room, id: str, body: str = "hi", person: Person = ALICE) -> Entry:
    return Entry(room.pk, id, person, body)


def say(room: Room, *ids: str, body: str = "hi") -> list[Outcome]:
    return append_all([entry(room, id, body) for id in ids])


def fill(room: Room, count: int, body: str = "hi") -> Room:
    say(room, *(f"{room.seq + number}" for number in range(1, count + 1)), body=body)
    room.refresh_from_db()
    return room


def seqs(outcomes: list[Outcome]) -> list[int]:
    return [outcome.seq for outcome in outcomes if isinstance(outcome, Stored)]


def stored_seqs(room: Room) -> list[int]:
    return list(room.messages.order_by("seq").values_list("seq", flat=True))


def numbers(frames: list[str]) -> list[int]:
    return [json.loads(frame)["seq"] for frame in frames]


# --- Appending -------------------------------------------------------------------------------------


def test_messages_are_numbered_from_1_in_the_order_in_which_they_came(room: Room) -> None:
    other = Room.objects.enter("other")
    outcomes = append_all([entry(room, "a"), entry(other, "a"), entry(room, "b"), entry(other, "b")])
    assert seqs(outcomes) == [1, 1, 2, 2]
    assert seqs(say(room, "c")) == [3]
    room.refresh_from_db()
    assert room.seq == 3
    assert stored_seqs(room) == [1, 2, 3]


def test_what_is_stored_is_what_is_told(room: Room) -> None:
    (told,) = append_all([entry(room, "a", "你好", BOB)])
    assert isinstance(told, Stored)
    kept = Message.objects.get()
    for field in ("seq", "client_id", "person", "body", "at"):
        assert getattr(kept, field) == getattr(told, field)
    assert told.fresh
    assert told.person == {"name": "bob", "guest": True}


def test_the_same_message_again_is_the_same_message(room: Room) -> None:
    (first,) = say(room, "a")
    say(room, "b")
    (again,) = append_all([entry(room, "a", person=Person(ALICE.key, "alice under another name", guest=True))])
    assert isinstance(first, Stored)
    assert isinstance(again, Stored)
    assert (again.seq, again.at, again.person, again.fresh) == (1, first.at, first.person, False)
    assert stored_seqs(room) == [1, 2]


def test_the_same_message_twice_at_once_is_stored_once_and_at_the_first_try(
    room: Room, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(6):  # savepoint, lock, look, insert, count, release
        outcomes = say(room, "a", "b", "a")
    assert seqs(outcomes) == [1, 2, 1]
    assert [outcome.fresh for outcome in outcomes if isinstance(outcome, Stored)] == [True, True, False]


@pytest.mark.parametrize(("people", "places"), [(1, 1), (300, 30)])
def test_an_append_asks_for_the_same_however_many_speak_in_however_many_rooms(
    django_assert_num_queries: Any, people: int, places: int
) -> None:
    rooms = [Room.objects.enter(f"{number}") for number in range(places)]
    with django_assert_num_queries(6):  # savepoint, lock, look, insert, count, release
        outcomes = append_all([entry(rooms[number % places], f"{number}") for number in range(people)])
    assert sorted(seqs(outcomes)) == sorted(1 + number // places for number in range(people))


def test_an_id_is_its_senders_own_and_tells_nobody_else_anything(room: Room) -> None:
    said = append_all([entry(room, "a"), entry(room, "a", "ho", BOB), entry(room, "a", person=BOB)])
    assert seqs(said) == [1, 2]
    assert isinstance(said[2], Conflict)  # with what bob has said himself
    assert seqs(append_all([entry(room, "a"), entry(room, "a", "ho", BOB)])) == [1, 2]


@pytest.mark.parametrize("person", [ALICE, "a user"])
def test_what_the_version_before_has_stored_is_stored_once_and_only_its_senders(room: Room, person: Any) -> None:
    person = of_user(get_user_model().objects.create_user("alice")) if person == "a user" else person
    append_all([entry(room, "a", person=person)])
    Message.objects.update(person_key="")
    assert seqs(append_all([entry(room, "a", person=person)])) == [1]
    assert seqs(append_all([entry(room, "a", "ho", BOB)])) == [2]
    assert seqs(append_all([entry(room, "a", person=person), entry(room, "a", "ho", BOB)])) == [1, 2]


def test_guests_who_are_not_known_share_their_ids(room: Room) -> None:
    nobody, again = guest_of(None), guest_of(None)
    assert seqs(append_all([entry(room, "a", person=nobody), entry(room, "a", person=again)])) == [1, 1]
    assert isinstance(append_all([entry(room, "a", "ho", person=again)])[0], Conflict)
    assert seqs(append_all([entry(room, "a", "ho", BOB)])) == [2]


def test_a_message_is_not_made_into_an_object_of_the_orm(room: Room) -> None:
    made: list[Message] = []

    def count(sender: type[Message], instance: Message, **_: Any) -> None:
        made.append(instance)

    post_init.connect(count, sender=Message)
    try:
        say(room, "a", "b", "c")
        assert made == []
        say(room, "a", "d")
        assert [message.client_id for message in made] == ["a"]  # only what is there already
    finally:
        post_init.disconnect(count, sender=Message)


def test_another_text_under_a_used_id_is_refused(room: Room) -> None:
    outcomes = append_all([entry(room, "a", "hi"), entry(room, "a", "ho")])
    assert isinstance(outcomes[1], Conflict)
    assert isinstance(say(room, "a", body="hu")[0], Conflict)
    assert [message.body for message in room.messages.all()] == ["hi"]


def test_the_same_id_in_another_room_is_another_message(room: Room) -> None:
    say(room, "a")
    assert seqs(append_all([entry(Room.objects.enter("other"), "a", "ho")])) == [1]


def test_a_room_that_was_removed_is_said_to_be_gone_and_hinders_nobody(room: Room) -> None:
    outcomes = append_all([Entry(room.pk + 1, "a", ALICE, "hi"), entry(room, "b")])
    assert isinstance(outcomes[0], Removed)
    assert seqs(outcomes) == [1]


def test_a_transaction_that_fails_leaves_no_hole(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    say(room, "a")
    store = statements.store

    def fail(*args: Any) -> None:
        store(*args)
        raise OperationalError("the disk is full")

    monkeypatch.setattr(statements, "store", fail)
    assert all(type(outcome) is Unavailable for outcome in say(room, "b", "c"))
    monkeypatch.setattr(statements, "store", store)
    assert stored_seqs(room) == [1]
    assert seqs(say(room, "c", "b")) == [2, 3]


def test_one_message_that_cannot_be_stored_does_not_hinder_the_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = statements.store

    def choosy(rows: list[Row], at: datetime) -> None:
        if any(row["body"] == "bad" for row in rows):
            raise DataError("cannot be stored")
        store(rows, at)

    monkeypatch.setattr(statements, "store", choosy)
    outcomes = append_all([entry(room, "a"), entry(room, "b", "bad"), entry(room, "c"), entry(room, "a")])
    assert seqs(outcomes) == [1, 2, 1]
    assert isinstance(outcomes[1], Unstorable)
    assert stored_seqs(room) == [1, 2]


def test_one_message_that_cannot_be_stored_is_found_in_few_tries(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    store = statements.store

    def choosy(rows: list[Row], at: datetime) -> None:
        tries.append(len(rows))
        if any(row["body"] == "bad" for row in rows):
            raise DataError("cannot be stored")
        store(rows, at)

    monkeypatch.setattr(statements, "store", choosy)
    said = [entry(room, f"{number}", "bad" if number == 40 else "good") for number in range(64)]
    assert sum(isinstance(outcome, Stored) for outcome in append_all(said)) == 63
    assert len(tries) <= 1 + 2 * 6  # halves of halves, down to one


def test_nobody_overtakes_a_message_that_met_a_locked_room(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    free = Room.objects.enter("free")
    look, looks = statements.look, [set(), {room.pk}, set(), set()]

    def busy_for_a_moment(rooms: set[int], ids: list[Row], *, skip_locked: bool) -> tuple[dict[int, Log], list[int]]:
        return look(rooms - looks.pop(0), ids, skip_locked=skip_locked)

    def choosy(rows: list[Row], at: datetime) -> None:
        raise DataError("cannot be stored")

    monkeypatch.setattr(statements, "look", busy_for_a_moment)
    monkeypatch.setattr(statements, "store", choosy)
    outcomes = append_all([entry(room, "a"), entry(free, "b"), entry(room, "c")], skip_locked=True)
    assert [type(outcome) for outcome in outcomes] == [log.Locked, Unstorable, log.Locked]


@pytest.mark.parametrize("text", ["'; --", "100 % %s", '"\\\n\t\x01', "你好🙂", "x" * 4_000])
def test_a_text_is_stored_as_it_was_said(room: Room, text: str) -> None:
    append_all([entry(room, text[:64], text, Person("guest:a", text[:150], guest=True))])
    kept = Message.objects.get()
    assert (kept.client_id, kept.body, kept.author) == (text[:64], text, text[:150])


def test_who_has_an_account_is_remembered_by_it(room: Room) -> None:
    user = get_user_model().objects.create_user("bob")
    append_all([entry(room, "a", person=of_user(user)), entry(room, "b")])
    assert list(room.messages.order_by("seq").values_list("user", "guest")) == [(user.pk, False), (None, True)]


@pytest.mark.django_db(transaction=True)
def test_an_author_who_was_deleted_meanwhile_does_not_hinder_the_others(room: Room) -> None:
    outcomes = append_all([entry(room, "a"), entry(room, "b", person=NOBODY), entry(room, "c")])
    assert seqs(outcomes) == [1, 2]
    assert isinstance(outcomes[1], Removed)
    assert stored_seqs(room) == [1, 2]


def test_a_database_that_is_away_refuses_everything_at_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def away(*args: Any) -> list[Outcome]:
        tries.append(1)
        raise OperationalError("nobody listens there")

    monkeypatch.setattr(log, "_in_one_transaction", away)
    outcomes = say(room, "a", "b", "c")
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert tries == [1]


def test_a_locked_room_is_set_aside_and_the_others_go_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    free = Room.objects.enter("free")
    look = statements.look

    class Timeout(Exception):
        sqlstate = "55P03"

    def locked(rooms: set[int], ids: list[Row], *, skip_locked: bool) -> tuple[dict[int, Log], list[int]]:
        if not skip_locked and room.pk in rooms:
            raise OperationalError("canceling statement due to lock timeout") from Timeout()
        return look(rooms - {room.pk}, ids, skip_locked=skip_locked)

    monkeypatch.setattr(statements, "look", locked)
    outcomes = append_all([entry(room, "a"), entry(free, "b")])
    assert isinstance(outcomes[0], log.Locked)
    assert seqs(outcomes) == [1]


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
        (refused("XX002", InternalError), Unavailable, 3),  # it may be one room's index
        (refused("42P01", ProgrammingError), Unavailable, 3),
        (InterfaceError("the connection is closed"), Unavailable, 1),
    ],
    ids=str,
)
def test_what_can_never_be_stored_is_refused_for_good_and_what_passes_is_not(
    room: Room, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: type[Exception], tries: int
) -> None:
    asked: list[int] = []

    def fail(entries: list[Entry], skip_locked: bool) -> list[Outcome]:
        asked.append(len(entries))
        raise error

    monkeypatch.setattr(log, "_in_one_transaction", fail)
    assert [type(told) for told in say(room, "a", "b")] == [outcome] * 2
    assert len(asked) == tries  # halves only where one of them may be to blame


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_to_blame_is_given_up_and_another_one_tried_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = log._in_one_transaction, []

    def bad_at_first(entries: list[Entry], skip_locked: bool) -> list[Outcome]:
        tries.append(len(entries))
        if len(tries) in bad:
            raise refused("25006", InternalError)
        return real(entries, skip_locked)

    monkeypatch.setattr(log, "_in_one_transaction", bad_at_first)
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    monkeypatch.setattr(connection, "close", lambda: closed.append(1))
    closed: list[int] = []
    bad = {1}
    assert seqs(say(room, "a", "b")) == [1, 2]
    assert (tries, closed) == ([2, 2], [1])
    bad = {3, 4}
    assert [type(outcome) for outcome in say(room, "c", "d")] == [Unavailable] * 2
    assert (len(tries), closed) == (4, [1, 1])


def test_nothing_to_append_asks_for_nothing() -> None:
    assert append_all([]) == []


# --- Reading -----------------------------------------------------------------------------------------


def test_a_page_of_the_log_follows_a_number(room: Room) -> None:
    fill(room, 10)
    fill(Room.objects.enter("other"), 3)
    page = read(room.pk, 4, 3)
    assert [event.seq for event in page] == numbers([event.frame for event in page]) == [5, 6, 7]
    assert read(room.pk, 10, 3) == []


def test_only_rooms_in_which_something_was_said_lately_are_changed(room: Room) -> None:
    quiet, long_ago = Room.objects.enter("quiet"), fill(Room.objects.enter("long-ago"), 1)
    Room.objects.filter(pk=long_ago.pk).update(changed_at=timezone.now() - timedelta(minutes=10))
    fill(room, 3)
    assert changed(2) == [(str(room.pk), room.epoch, 3)]
    assert quiet.seq == 0


def test_after_a_long_silence_of_the_database_the_whole_of_it_is_asked_for(room: Room) -> None:
    fill(room, 1)
    Room.objects.filter(pk=room.pk).update(changed_at=timezone.now() - timedelta(minutes=10))
    assert changed(60) == []
    assert changed(600) == [(str(room.pk), room.epoch, 1)]


def test_many_pages_of_many_rooms_take_one_query(room: Room, django_assert_num_queries: Any) -> None:
    other = fill(Room.objects.enter("other"), 5)
    fill(room, 10)
    pages = [Page(room.pk, 4, 3), Page(room.pk, 5, 1), Page(other.pk, 0, 9), Page(other.pk, 5, 9), Page(room.pk, 2, 0)]
    with django_assert_num_queries(1):
        found = read_all(pages)
    assert [[event.seq for event in found[page]] for page in pages] == [[5, 6, 7], [6], [1, 2, 3, 4, 5], [], []]
    assert found[pages[0]][1] is found[pages[1]][0]  # encoded once


def test_where_nothing_is_to_be_read_nothing_is_asked(room: Room, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert read_all([]) == {}
        assert read_all([Page(room.pk, 3, 0)]) == {Page(room.pk, 3, 0): []}

"""A model answers alice: its text grows, is stored as it goes, and ends by a numbered change, whatever happens."""

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from topics import BadData
from topics.data import MAX_DATA_BYTES
from topics.growing import grown, writing
from topics.growing.grown import LOOKS, Unheard
from topics.growing.growth import Growth
from topics.growing.keeper import Keeper
from topics.growing.writing import Out
from topics.models import Entry, Growing, Log
from topics.people import Person
from topics.storing import logs

from .declared import Votes
from .keeping import ByHand, by_hand

__all__ = ["by_hand"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("by_hand")]

LLM = Person("guest:llm", "llm", guest=True)
LUNCH = Votes(poll="lunch")
UPDATE = ("UPDATE topics_entry", "\nWITH said")


@pytest.fixture(autouse=True)
def forgotten() -> None:
    logs._known.clear()


def said(seq: int = 1) -> tuple[str, str]:
    """The text and the status of an event, as whoever reads the topic has them."""
    data = LUNCH.events(after=seq - 1, limit=1)[0].data
    return data["text"], data["status"]


def changes() -> list[dict[str, Any]]:
    return [event.data for event in LUNCH.events() if event.about]


# --- Writing -----------------------------------------------------------------------------------------


def test_an_event_is_there_at_once_and_has_its_text_at_the_end() -> None:
    with LUNCH.writing({"to": 41}, by=LLM) as out:
        assert LUNCH.events()[0].data == {"text": "", "status": "growing", "to": 41}
        out.write("Pizza")
        out.write(" is best.")
        assert out.text == "Pizza is best."
        assert not out.cancelled
    event, change = LUNCH.events()
    assert event.data == change.data == {"text": "Pizza is best.", "status": "done", "to": 41}
    assert (event.by, change.by, change.about) == (LLM, LLM, out.seq)
    assert Growing.objects.count() == 0


def test_whoever_reads_meanwhile_has_the_text_so_far(by_hand: ByHand) -> None:
    with LUNCH.writing() as out:
        out.write("Pizza")
        assert said() == ("", "growing")
        by_hand.store()
        assert said() == ("Pizza", "growing")
        out.write(" is best.")
        by_hand.store()
        assert said() == ("Pizza is best.", "growing")
    assert LUNCH.position().seq == 2, "what was stored meanwhile took numbers"


def test_a_hundred_words_are_one_update(by_hand: ByHand) -> None:
    with LUNCH.writing() as out, CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            out.write("word ")
        by_hand.store()
        by_hand.stop()  # a reader has cancelled something else
        assert len([query for query in queries if query["sql"].replace('"', "").startswith(UPDATE)]) == 1
        assert said() == ("word " * 100, "growing")


def test_nothing_new_is_not_stored_again(by_hand: ByHand) -> None:
    with LUNCH.writing() as out:
        out.write("Hm")
        by_hand.store()
        with CaptureQueriesContext(connection) as queries:
            by_hand.store()
        assert not [query for query in queries if query["sql"].replace('"', "").startswith(UPDATE)]


def test_what_is_raised_inside_passes_and_the_event_has_failed() -> None:
    def answer() -> None:
        with LUNCH.writing() as out:
            out.write("One over zero is ")
            out.write(str(1 / 0))

    with pytest.raises(ZeroDivisionError):
        answer()
    assert said() == ("One over zero is ", "failed")
    assert changes() == [{"text": "One over zero is ", "status": "failed"}]


def test_two_that_grow_at_once_do_not_mix(by_hand: ByHand) -> None:
    with LUNCH.writing() as one, LUNCH.writing() as other:
        one.write("one")
        other.write("other")
        by_hand.store()
        assert said(1)[0] == "one"
        assert said(2)[0] == "other"
    assert said(1) == ("one", "done")
    assert said(2) == ("other", "done")


async def test_async_code_writes_by_await() -> None:
    async with LUNCH.writing({"to": 41}, by=LLM) as out:
        await out.write("Pizza")
        assert (out.seq, out.text, out.cancelled) == (1, "Pizza", False)
        assert await LUNCH.acancel(out.seq)
    assert not await LUNCH.acancel(out.seq)
    assert [event.data["status"] for event in await LUNCH.aevents()] == ["cancelled", "cancelled"]
    with pytest.raises(ZeroDivisionError):
        async with LUNCH.writing():
            raise ZeroDivisionError
    assert (await LUNCH.aevents())[-1].data["status"] == "failed"
    await sync_to_async(lambda: connection.close())()  # that thread's own


# --- What is refused ---------------------------------------------------------------------------------


def test_it_cannot_be_part_of_a_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(TransactionManagementError, match="cannot be part of a transaction"), LUNCH.writing():
            pass
        assert LUNCH.append("still good").seq == 1


@pytest.mark.parametrize("data", [["list"], "text", 5, {5: 6}, {"text": ""}, {"status": "done"}, {"a": object()}])
def test_data_that_cannot_grow_is_refused_before_anything_is_stored(data: Any) -> None:
    with pytest.raises(BadData):
        LUNCH.writing(data)
    assert LUNCH.events() == []


@pytest.mark.parametrize("text", ["a\x00", "\ud800", "x" * MAX_DATA_BYTES, '"' * (MAX_DATA_BYTES // 2)])
def test_text_that_cannot_be_stored_ends_it_with_what_was_good(text: str) -> None:
    def answer() -> None:
        with LUNCH.writing() as out:
            out.write("good")
            out.write(text)

    with pytest.raises(BadData):
        answer()
    assert said() == ("good", "failed")


def test_as_much_can_be_written_as_an_event_may_have(by_hand: ByHand) -> None:
    room = MAX_DATA_BYTES - len('{"text":"","status":"cancelled"}')
    with LUNCH.writing() as out:
        for _ in range(room // 100):
            out.write("x" * 100)
        out.write("x" * (room % 100))
        by_hand.store()
        with pytest.raises(BadData, match="begin another"):
            out.write("x")
        LUNCH.cancel(out.seq)
        by_hand.store()
    assert said() == ("x" * room, "cancelled")


def test_it_is_written_once() -> None:
    writing = LUNCH.writing()
    with writing, pytest.raises(RuntimeError, match="call writing"):
        writing.__enter__()
    with pytest.raises(TypeError, match="is text"), LUNCH.writing() as out:
        out.write(5)  # type: ignore[arg-type]


# --- Stopping ----------------------------------------------------------------------------------------


def test_a_reader_stops_it_and_the_text_ends_where_it_was(by_hand: ByHand) -> None:
    with LUNCH.writing() as out:
        out.write("Pizza is")
        assert LUNCH.cancel(out.seq)
        assert not out.cancelled
        by_hand.stop()
        assert out.cancelled
        assert said() == ("Pizza is", "cancelled"), "who had read all of it has more than the log"
        out.write(" best.")
    assert said() == ("Pizza is", "cancelled")
    assert len(changes()) == 1


def test_what_was_stopped_just_before_its_end_was_stopped() -> None:
    with LUNCH.writing() as out:
        out.write("Pizza")
        assert LUNCH.cancel(out.seq)
    assert said() == ("Pizza", "cancelled")


def test_what_does_not_grow_cannot_be_stopped() -> None:
    LUNCH.append("an event")
    with LUNCH.writing() as out:
        pass
    assert [LUNCH.cancel(seq) for seq in (1, out.seq, 99)] == [False, False, False]
    assert said(2) == ("", "done")


def test_a_rollback_leaves_it_growing(by_hand: ByHand) -> None:
    with LUNCH.writing() as out:
        with transaction.atomic():
            assert LUNCH.cancel(out.seq)
            transaction.set_rollback(True)
        by_hand.stop()
        assert not out.cancelled


@pytest.mark.parametrize("change", ["retract", "amend"])
def test_what_is_changed_by_others_is_not_written_any_more(by_hand: ByHand, change: str) -> None:
    with LUNCH.writing() as out:
        out.write("rude")
        by_hand.store()
        if change == "amend":
            LUNCH.amend(out.seq, "polite")
        else:
            LUNCH.retract(out.seq)
        out.write(" words")
        by_hand.store()
        assert out.cancelled
    event = LUNCH.events()[0]
    assert event.data == ("polite" if change == "amend" else None)
    assert len(changes()) == 1


def test_what_was_removed_by_age_is_not_written_any_more(by_hand: ByHand) -> None:
    with LUNCH.writing() as out:
        Entry.objects.all().delete()
        LUNCH.cancel(out.seq)
        by_hand.store()
        by_hand.stop()
    assert LUNCH.events() == []


def answers(count: int, stack: ExitStack) -> list[Out]:
    """As many, each in a topic of its own."""
    return [stack.enter_context(Votes(poll=f"poll-{number}").writing()) for number in range(count)]


def cancel(outs: list[Out]) -> None:
    for number, out in enumerate(outs):
        assert Votes(poll=f"poll-{number}").cancel(out.seq)


def test_many_that_are_stopped_at_once_cost_no_more_questions_than_two(by_hand: ByHand) -> None:
    costs = []
    for count in (2, 20):
        with ExitStack() as stack:
            outs = answers(count, stack)
            cancel(outs)
            with CaptureQueriesContext(connection) as queries:
                assert not by_hand.stop()
            assert all(out.cancelled for out in outs)
            costs.append(len(queries))
    assert costs[0] == costs[1]


@contextmanager
def held(rows: QuerySet[Any]) -> Iterator[None]:
    """Another transaction has locks on these rows."""
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            assert list(rows.select_for_update())
            begun.set()
            over.wait(60)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        try:
            assert begun.wait(60)
            yield
        finally:
            over.set()
            holding.result()


@pytest.mark.postgres
@pytest.mark.parametrize(("model", "name"), [(Log, "name"), (Entry, "log__name"), (Growing, "log__name")])
def test_what_somebody_holds_is_stopped_later_and_the_others_now(by_hand: ByHand, model: Any, name: str) -> None:
    with ExitStack() as stack:
        alices, bobs = outs = answers(2, stack)
        cancel(outs)
        with held(model.objects.filter(**{name: "votes/poll-0"})):
            assert by_hand.stop(), "one is left"
            assert (alices.cancelled, bobs.cancelled) == (False, True)
        assert not by_hand.stop()
        assert alices.cancelled


@pytest.mark.postgres
def test_what_somebody_holds_is_stored_later_and_the_others_now(by_hand: ByHand) -> None:
    with ExitStack() as stack:
        outs = answers(2, stack)
        for out in outs:
            out.write("Pizza")
        with held(Entry.objects.filter(log__name="votes/poll-0")):
            by_hand.store()
            assert stored_texts() == ["", "Pizza"]
        by_hand.store()
        assert stored_texts() == ["Pizza", "Pizza"]
        assert not any(out.cancelled for out in outs)


def stored_texts() -> list[str]:
    return [json.loads(data)["text"] for data in Entry.objects.order_by("pk").values_list("data", flat=True)]


@pytest.mark.postgres
def test_a_cancel_does_not_wait_for_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads themselves: the one that stores hangs."""
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(said: Any) -> set[int]:
        hangs.set()
        assert goes_on.wait(60)
        return set()

    monkeypatch.setattr(writing, "keeper", keeper := Keeper())
    monkeypatch.setattr(grown, "store", hang)
    try:
        with LUNCH.writing() as out:
            out.write("Pizza")
            assert hangs.wait(60)
            assert LUNCH.cancel(out.seq)
            deadline = monotonic() + 60
            while not out.cancelled and monotonic() < deadline:
                sleep(0.01)
            assert said() == ("Pizza", "cancelled")
    finally:
        goes_on.set()
        for rounds in (keeper._storing, keeper._stopping):
            if thread := rounds._thread:
                thread.join(60)


# --- Whose writer was killed -------------------------------------------------------------------------


def killed(*, cancelled: bool = False) -> None:
    """Nothing was heard of the writers for long."""
    Growing.objects.update(heard_at=Now() - timedelta(minutes=1), cancelled=cancelled)


def given_up(unheard: Unheard) -> list[str]:
    ended = [grown.give_up(entry) for entry in unheard.look()]
    return [json.loads(one[1].data)["status"] for one in ended if one]


@pytest.mark.parametrize(("cancelled", "status"), [(False, "failed"), (True, "cancelled")])
def test_who_looks_finds_that_the_writer_was_killed(by_hand: ByHand, cancelled: bool, status: str) -> None:
    unheard = Unheard()
    with LUNCH.writing({"to": 41}) as out:
        out.write("Pizza")
        by_hand.store()
        killed(cancelled=cancelled)
        looks = [given_up(unheard) for _ in range(LOOKS + 1)]
        assert looks == [[]] * (LOOKS - 1) + [[status], []]
        assert said() == ("Pizza", status)
        assert changes() == [{"text": "Pizza", "status": status, "to": 41}]
        out.write(" is best")  # it was not dead after all
        by_hand.store()
        assert out.cancelled
    assert said() == ("Pizza", status)
    assert len(changes()) == 1


def test_a_writer_that_is_heard_of_lives(by_hand: ByHand) -> None:
    unheard = Unheard()
    with LUNCH.writing() as out:
        for _ in range(2 * LOOKS):
            killed()  # the database was away
            assert given_up(unheard) == []
            out._growth._heard_at = 0.0
            by_hand.store()
            assert given_up(unheard) == []


def test_two_processes_that_look_end_it_once() -> None:
    with LUNCH.writing():
        killed()
        alices, bobs = Unheard(), Unheard()
        for _ in range(LOOKS):
            found = alices.look(), bobs.look()
        assert [bool(grown.give_up(entry)) for some in found for entry in some] == [True, False]
    assert len(changes()) == 1


def test_what_nobody_holds_any_more_is_not_kept(by_hand: ByHand) -> None:
    LUNCH.writing().__enter__()
    assert not by_hand._all()
    assert Growing.objects.count() == 1, "only who looks ends it"


# --- A database that is away -------------------------------------------------------------------------


def test_the_end_waits_for_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [OperationalError("away"), OperationalError("away")]
    end = grown.end

    def failing(*args: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return end(*args, **options)

    monkeypatch.setattr(grown, "end", failing)
    with LUNCH.writing() as out:
        out.write("Pizza")
    assert said() == ("Pizza", "done")


def test_an_end_that_cannot_be_stored_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **options: Any) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(grown, "end", away)
    monkeypatch.setattr("topics.growing.keeper.PATIENCE_SECONDS", 0)
    with pytest.raises(OperationalError), LUNCH.writing():
        pass
    with pytest.raises(ZeroDivisionError), LUNCH.writing():
        raise ZeroDivisionError


# --- What is told meanwhile --------------------------------------------------------------------------


class Reader:
    """As a client puts the text together, which counts in UTF-16."""

    def __init__(self, text: str = "") -> None:
        self.units = text.encode("utf-16-le")
        self.gaps = 0

    def hears(self, frame: str | None) -> None:
        if frame is None:
            return
        more = json.loads(frame)
        at, added = 2 * more["at"], more["text"].encode("utf-16-le")
        if at > len(self.units):
            self.gaps += 1
        elif at + len(added) > len(self.units):
            self.units = self.units[:at] + added

    @property
    def text(self) -> str:
        return self.units.decode("utf-16-le")


def stored(growth: Growth) -> None:
    growth.was_stored(growth.text, 0.0)


def test_what_was_added_is_one_frame_however_many_words_it_is() -> None:
    growth = Growth("votes/lunch", 3, 7, "")
    assert growth.more_here() is None
    for word in ("Pizza", " is", " best"):
        growth.write(word)
    assert json.loads(growth.more_here() or "") == {
        "type": "more",
        "topic": "votes/lunch",
        "seq": 3,
        "at": 0,
        "text": "Pizza is best",
    }
    assert growth.more_here() is None


def test_while_the_end_is_stored_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be heard after the end."""
    told: list[str | None] = []
    end = grown.end

    def ending(*args: Any, **options: Any) -> Any:
        told.append(out._growth.more_here())
        return end(*args, **options)

    monkeypatch.setattr(grown, "end", ending)
    with LUNCH.writing() as out:
        out.write("Pizza")
    assert told == [None]
    assert said() == ("Pizza", "done")


@pytest.mark.parametrize("seed", range(20))
def test_who_has_just_read_the_event_lacks_nothing(seed: int) -> None:
    """Readers come at any time, with what was stored last; what is told after that goes on where it ended."""
    chance = random.Random(seed)
    growth = Growth("votes/lunch", 1, 1, "")
    readers = [Reader()]
    database = before = ""
    for _ in range(500):
        growth.write(chance.choice(["a", "você ", "你好", "👋🏽", "word "]))
        if chance.random() < 0.5:
            frame = growth.more_here()
            for reader in readers:
                reader.hears(frame)
        if chance.random() < 0.1:
            readers.append(Reader(chance.choice([database, before])))
        if chance.random() < 0.1:
            before, database = database, growth.text
            stored(growth)
    stored(growth)
    frame = growth.more_here()
    assert growth.more_here() is None
    for reader in readers:
        reader.hears(frame)
    assert [reader.gaps for reader in readers] == [0] * len(readers)
    assert {reader.text for reader in readers} == {growth.text}


def test_while_the_database_is_away_no_frame_tells_all_again() -> None:
    growth = Growth("votes/lunch", 1, 1, "")
    reader = Reader()
    longest = 0
    for _ in range(1_000):
        growth.write("0123456789")
        frame = growth.more_here()
        longest = max(longest, len(frame or ""))
        reader.hears(frame)
    assert reader.text == growth.text
    assert longest < 5_000


def test_out_says_what_it_needs() -> None:
    out = Out(Growth("votes/lunch", 3, 7, ""))
    assert (out.seq, out.text, out.cancelled) == (3, "", False)

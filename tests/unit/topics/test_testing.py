"""Visits in tests of every style: alice and bob vote, carol may nothing, and nothing is left for the next test."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from realtime import drain, registry
from topics import disconnect
from topics.models import Log
from topics.storing import database, logs
from topics.testing import Refused, avisit, visit

from .declared import Chat, Votes

LUNCH = "votes/lunch"
OPEN = Chat(name_of_it="open")

pytestmark = pytest.mark.usefixtures("own_topics")


def user(name: str) -> Any:
    return get_user_model().objects.create_user(name)


class InATestCase(TestCase):
    """Inside the test's own transaction, which nobody commits."""

    alice: Any

    @classmethod
    def setUpTestData(cls) -> None:
        cls.alice = user("alice")

    def test_alice_votes_and_everybody_hears(self) -> None:
        with visit(user=self.alice) as tab, visit(user=user("bob")) as other:
            votes, others = tab.join(LUNCH), other.join(Votes(poll="lunch"))
            ack = votes.send({"option": "pizza"}, id="a")
            assert (ack["seq"], ack["id"]) == (1, "a")
            for hearing in (votes, others):
                event = hearing.next("event")
                assert event["data"] == {"option": "pizza"}
                assert event["by"]["name"] == "alice"
                assert event["epoch"] == Votes(poll="lunch").position().epoch
            others.nothing()
            assert [event.data for event in Votes(poll="lunch").events()] == [{"option": "pizza"}]

    def test_what_the_test_appends_is_heard_though_nothing_is_committed(self) -> None:
        with visit(user=self.alice) as tab:
            chat = tab.join(OPEN)
            OPEN.append(1, by=self.alice)
            OPEN.amend(1, 2)
            OPEN.signal("now")
            assert chat.next()["data"] == 1
            assert chat.next("change")["about"] == 1
            assert chat.next("signal")["data"] == "now"
            chat.nothing()

    def test_what_is_rolled_back_is_not_heard(self) -> None:
        with visit() as tab:
            chat = tab.join(OPEN)
            with transaction.atomic():
                OPEN.append("never")
                transaction.set_rollback(True)
            OPEN.append("then")
            event = chat.next()
            assert (event["seq"], event["data"]) == (1, "then")
            chat.nothing()

    def test_djangos_own_way_to_run_what_is_due_tells_it_once(self) -> None:
        with visit() as tab:
            chat = tab.join(OPEN)
            with self.captureOnCommitCallbacks(execute=True):
                OPEN.signal(1)
                OPEN.append(2, on_commit=True)
            assert chat.next("signal")["data"] == 1
            assert chat.next()["data"] == 2
            chat.nothing()

    def test_a_views_event_is_heard(self) -> None:
        self.client.force_login(self.alice)
        with visit() as tab:
            lobby = self.client.get("/admin/login/")
            assert lobby.status_code in {200, 302}, "other requests work meanwhile"
            chat = tab.join(OPEN)
            OPEN.append(1)
            chat.next()


class InATransactionTestCase(TransactionTestCase):
    def test_alice_votes_and_bob_hears(self) -> None:
        with visit(user=user("alice")) as tab, visit(user=user("bob")) as other:
            votes = other.join(LUNCH)
            tab.send(LUNCH, {"option": "pasta"})
            assert votes.next()["data"] == {"option": "pasta"}
            with transaction.atomic():
                Votes(poll="lunch").append({"option": "pizza"})
            assert votes.next()["seq"] == 2

    @pytest.mark.postgres
    def test_what_a_thread_commits_is_heard(self) -> None:
        with visit() as tab:
            chat = tab.join(OPEN)

            def elsewhere() -> None:
                OPEN.append("from a thread")
                connection.close()

            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            assert chat.next()["data"] == "from a thread"

    async def test_async_tests_have_tabs_of_their_own(self) -> None:
        async with avisit(user=await sync_to_async(user)("alice")) as tab:
            votes = await tab.join(LUNCH)
            await votes.send({"option": "pizza"})
            assert (await votes.next())["seq"] == 1


class InAnAsyncTestCase(TestCase):
    async def test_alice_votes(self) -> None:
        alice = await get_user_model().objects.acreate(username="alice")
        async with avisit(user=alice) as tab, avisit() as other:
            votes = await other.join(LUNCH)
            hearing = asyncio.create_task(votes.next())
            await Votes(poll="lunch").aappend({"option": "pizza"})
            await tab.send(LUNCH, {"option": "pasta"})
            assert (await hearing)["seq"] == 1
            assert (await votes.next())["seq"] == 2
            await votes.nothing()
            await other.cut()
            await Votes(poll="lunch").aappend({"option": "pizza"})
            await other.back()
            assert (await votes.next())["seq"] == 3


# --- With pytest -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_is_refused_reads_why() -> None:
    with visit(user=user("carol")) as carol, visit(user=user("mallory")) as mallory, visit() as guest:
        with pytest.raises(Refused) as refused:
            carol.join(OPEN)
        assert refused.value.code == "no_such_topic"
        chat = mallory.join(OPEN)
        for attempt in (chat.send, chat.signal):
            with pytest.raises(Refused) as refused:
                attempt("a word")
            assert refused.value.code == "forbidden"
        with pytest.raises(Refused, match="no such topic"):
            guest.join("nothing/of/the/kind")
        with pytest.raises(Refused) as refused:
            guest.send(LUNCH, {"option": "pizza"})
        assert refused.value.code == "forbidden"
        with visit(user=user("alice")) as alice, pytest.raises(Refused, match="unknown option"):
            alice.send(LUNCH, {"option": "stone"})


@pytest.mark.django_db
def test_a_cut_line_misses_nothing() -> None:
    OPEN.append(1)
    with visit() as tab:
        chat = tab.join(OPEN)
        assert [event["data"] for event in chat.history] == [1]
        chat.nothing()
        you = tab.you
        tab.cut()
        for number in range(2, 60):
            OPEN.append(number)
        tab.back()
        assert [chat.next()["data"] for _ in range(2, 60)] == list(range(2, 60))
        assert chat.position == (OPEN.position().epoch, 59)
        assert tab.you == you, "she is the same guest"
        Log.objects.all().delete()
        tab.cut()
        OPEN.append("anew")
        tab.back()
        assert chat.next("joined")["recovered"] is False
        assert [event["data"] for event in chat.history] == ["anew"]


@pytest.mark.django_db
def test_presence_unread_and_leaving_are_there(django_user_model: Any) -> None:
    with visit(user=user("alice")) as alice:
        chat = alice.join(OPEN)
        with visit(user=user("bob")) as bob:
            others = bob.join(OPEN)
            assert [who["name"] for who in chat.next("presence")["joined"]] == ["bob"]
            assert len(others.joined["members"]) == 2
            others.send("hello")
            others.next()
            assert chat.read(0) == 1
            assert chat.read(1) == 0
            others.leave()
            alice.send(OPEN, "is anybody here?")
            others.nothing()
        assert [who["name"] for who in chat.next("presence", seconds=20)["left"]] == ["bob"]


@pytest.mark.django_db
def test_who_is_put_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(self: Any, person: Any, act: str) -> bool:
        return False

    with visit() as tab:
        chat = tab.join(OPEN)
        monkeypatch.setattr(Chat, "may", nobody)
        OPEN.recheck()
        assert chat.next("left")["reason"] == "forbidden"


@pytest.mark.django_db
def test_who_follows_can_be_asked_and_put_out_as_anywhere() -> None:
    alice = user("alice")
    with visit(user=alice) as tab:
        chat = tab.join(OPEN)
        assert [person.name for person in OPEN.members()] == ["alice"]
        disconnect(topic=OPEN)
        assert chat.next("left")["topic"] == OPEN.name
        disconnect(user=alice)
        assert tab.next("goodbye")["type"] == "goodbye"


@pytest.mark.django_db
def test_who_is_logged_out_is_closed() -> None:
    alice = user("alice")
    with visit(user=alice) as tab:
        chat = tab.join(OPEN)
        alice.is_active = False
        alice.save()
        assert tab.next("goodbye", seconds=20)["reason"] == "forbidden"
        with pytest.raises(AssertionError, match=r"closed it with 4403 \(forbidden\)"):
            chat.send("a word")
        with pytest.raises(AssertionError, match="Nothing more comes"):
            chat.next()
        assert tab.code == 4403


@pytest.mark.django_db
def test_what_does_not_come_is_said_with_what_did() -> None:
    with visit() as tab:
        chat = tab.join(OPEN)
        OPEN.append("this instead")
        with pytest.raises(AssertionError, match=r"(?s)No `change` of chat/open within 1 s.*this instead"):
            chat.next("change", seconds=1)
        with pytest.raises(AssertionError, match=r"Something came.*this instead"):
            chat.nothing()
        chat.nothing("signal")
        assert chat.next()["data"] == "this instead", "nothing of it was lost"
        with pytest.raises(AssertionError, match="No other frame has come"):
            chat.next(seconds=0.1)


@pytest.mark.django_db
def test_a_topics_async_code_uses_the_tests_own_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    async def may(self: Any, person: Any, act: str) -> bool:
        return await get_user_model().objects.filter(username="alice").aexists()

    monkeypatch.setattr(Chat, "may", may)
    with visit() as tab:
        with pytest.raises(Refused):
            tab.join(OPEN)
        user("alice")
        tab.join(OPEN)


@pytest.mark.django_db
def test_an_error_in_a_topic_is_what_its_sender_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with visit(user=user("alice")) as tab:
        with pytest.raises(Refused, match="could not be understood"):
            tab.send(LUNCH, "no dictionary")
        with pytest.raises(Refused) as refused:
            tab.send("orders/1/status", 1)
        assert refused.value.code == "no_such_topic"


@pytest.mark.django_db
@pytest.mark.parametrize("turn", ["first", "second"])
def test_nothing_is_left_of_a_visit(turn: str) -> None:
    threads, layer = threading.active_count(), get_channel_layer()
    on_commit = transaction.on_commit
    with visit() as tab:
        chat = tab.join(OPEN)
        chat.send("hello")
        assert chat.next()["seq"] == 1
        assert get_channel_layer() is not layer
    assert (threading.active_count(), get_channel_layer()) == (threads, layer)
    assert transaction.on_commit is on_commit
    assert logs._known == {}
    assert not drain.sockets
    assert not [loop for loop in registry._registries if loop.is_closed()]


@pytest.mark.django_db
def test_a_test_that_fails_in_a_visit_fails_for_its_own_reason() -> None:
    with pytest.raises(ZeroDivisionError), visit() as tab:
        tab.join(OPEN).send(1 / 0)
    with visit() as tab:
        tab.join(OPEN).nothing()


@pytest.mark.django_db
def test_a_slow_database_is_no_silence() -> None:
    """What the test itself is busy with does not count."""

    async def query() -> str:
        await database.run(database.readers, threading.Event().wait, 2.5)
        await asyncio.sleep(0.1)
        return "found"

    with visit() as tab:
        assert tab.do(query(), 2, "answer") == "found"


@pytest.mark.django_db(transaction=True)
async def test_async_tests_of_pytest_have_tabs_too() -> None:
    alice = await sync_to_async(user)("alice")
    async with avisit(user=alice) as tab:
        votes = await tab.join(LUNCH)
        await Votes(poll="lunch").aappend({"option": "pizza"})
        await votes.send({"option": "pasta"})
        assert [(await votes.next())["seq"] for _ in range(2)] == [1, 2]
        with pytest.raises(AssertionError, match="No `event`"):
            await votes.next(seconds=0.05)


@pytest.mark.django_db(transaction=True)
async def test_sync_tests_code_works_in_async_ones_by_sync_to_async() -> None:
    def vote() -> int:
        with visit(user=user("alice")) as tab:
            return int(tab.send(LUNCH, {"option": "pizza"})["seq"])

    assert await sync_to_async(vote)() == 1


async def test_a_sync_visit_in_an_async_test_says_what_to_write() -> None:
    with pytest.raises(RuntimeError, match="async with avisit"), visit():
        pass

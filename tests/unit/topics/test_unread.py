"""What alice has not read: told when she joins, and to all her tabs when she reads."""

from typing import Any

import pytest
from django.core import signing
from django.db import connections
from django.test.utils import CaptureQueriesContext

from topics import people
from topics.models import Read
from topics.storing import unread

from .declared import Chat, Notes
from .test_consumer import OPEN, Client
from .test_http import follow

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process")]

ALICE = people.guest_of(signing.dumps(["alice", "alice"], salt=people.SALT))
BOB = people.guest_of(signing.dumps(["bob", "bob"], salt=people.SALT))
HISTORY = Notes(subject="history")


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Any:
    return lambda: django_capture_on_commit_callbacks(execute=True)


def written(*by: Any) -> None:
    for author in by:
        HISTORY.append("a note", by=author)


async def test_who_joins_is_told_how_much_is_new_to_her() -> None:
    alice = Client("alice")
    assert (await alice.joins(HISTORY.name))["unread"] == 0
    written(BOB, BOB, ALICE, BOB, None)
    HISTORY.retract(1, by=BOB)
    HISTORY.amend(2, "another", by=BOB)
    assert (await alice.joins(HISTORY.name))["unread"] == 3
    HISTORY.read_up_to(ALICE, 4)
    assert (await alice.joins(HISTORY.name))["unread"] == 1
    assert (await Client("bob").joins(HISTORY.name))["unread"] == 2
    assert HISTORY.unread(BOB) == 2


@pytest.mark.usefixtures("unchecked")
async def test_a_topic_that_does_not_count_says_nothing_of_it_and_asks_nothing() -> None:
    Chat(name_of_it="open").append(1, by=BOB)
    with CaptureQueriesContext(connections["default"]) as queries:
        assert "unread" not in await Client("alice").joins(OPEN)
    assert not [query for query in queries if "topics_read" in query["sql"]]


@pytest.mark.usefixtures("unchecked")
async def test_many_topics_are_counted_by_one_query() -> None:
    alice = Client("alice")
    await alice.hears("welcome")
    for number in range(30):
        Notes(subject=f"s{number}").append(1, by=BOB)
    with CaptureQueriesContext(connections["default"]) as queries:
        for number in range(60):
            alice.says(type="join", topic=f"notes/s{number}")
        await alice.hears("joined", 60)
    assert [joined["unread"] for joined in alice.all("joined")] == 30 * [1] + 30 * [0]
    assert len([query for query in queries if "topics_read" in query["sql"]]) <= 2


def test_a_long_log_is_counted_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "MOST", 3)
    written(*5 * [BOB])
    assert HISTORY.unread(ALICE) == 3


async def test_what_is_read_in_one_tab_is_read_in_the_others() -> None:
    tabs, bob = [Client("alice") for _ in range(3)], Client("bob")
    written(BOB, BOB, BOB)
    for client in (*tabs[:2], bob):
        await client.joins(HISTORY.name)
    stream = await follow("alice", path=f"/topics/{HISTORY.name}")
    await stream.hears("joined")
    await tabs[2].hears("welcome")
    tabs[0].says(type="read", topic=HISTORY.name, seq=2)
    told = {"type": "unread", "topic": HISTORY.name, "unread": 1}
    assert await tabs[0].hears("unread") == told
    assert await tabs[1].hears("unread") == told
    assert (await stream.hears("unread"))[1] == told
    await tabs[0].sends(HISTORY.name, "after", 1)
    assert [len(client.all("unread")) for client in (*tabs, bob)] == [1, 1, 0, 0]
    await stream.leave()


async def test_what_is_read_elsewhere_is_told_to_every_tab(committed: Any) -> None:
    alice = Client("alice")
    written(BOB, BOB)
    await alice.joins(HISTORY.name)
    with committed():
        HISTORY.read_up_to(ALICE, 1)
        assert alice.all("unread") == []
    assert (await alice.hears("unread"))["unread"] == 1


@pytest.mark.parametrize("seq", [-1, 10**30])
async def test_a_number_that_no_log_has_does_no_harm(seq: int) -> None:
    written(BOB)
    HISTORY.read_up_to(ALICE, seq)
    assert HISTORY.unread(ALICE) == (1 if seq < 0 else 0)
    assert Read.objects.count() == 1


def test_a_number_is_whole() -> None:
    with pytest.raises(TypeError, match="whole"):
        HISTORY.read_up_to(ALICE, "1")  # type: ignore[arg-type]

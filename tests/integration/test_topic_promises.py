"""A topic of a foreign app keeps what is promised: without hints, over resumes, and while its log is pruned.

Redis killed, processes killed and all the rest happens to rooms and topics together, in test_faults.
"""

import asyncio
from collections.abc import Iterator

import pytest

from client import new_id
from following import Following, follow, new_topic
from hints import layer, store
from servers.app import FOREIGN_APP, Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

SECONDS = 30  # the log is asked every 2 s which topics have changed, on a machine that has other things to do

LAST_WORDS = """
import os
from apps.polls.topics import Votes
from topics.delivery import live
def die(*told, **named):
    os._exit(0)
live.publish = die
Votes(poll={poll!r}).append("last words", id="last")
"""
PRUNED = """
from datetime import timedelta
from apps.polls.topics import Votes
from django.core.management import call_command
from django.utils import timezone
from topics.models import Entry
Votes.keep = timedelta(days=1)
Entry.objects.filter(log__name={topic!r}, seq__lte={seq}).update(at=timezone.now() - timedelta(days=2))
call_command("prune")
"""


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """A process of each server."""
    with Stack(image, postgres, SERVERS, **FOREIGN_APP) as running:
        yield running


@pytest.fixture(params=[0, 1], ids=SERVERS)
def base(stack: Stack, request: pytest.FixtureRequest) -> str:
    return stack.ws[request.param].ws_url


async def on_each(stack: Stack, topic: str) -> list[Following]:
    """Alice on the one server and Bob on the other."""
    return [await follow(process.ws_url, topic, batch=number == 1) for number, process in enumerate(stack.ws)]


# --- Hints -------------------------------------------------------------------------------------------


async def test_what_a_process_appended_before_it_died_reaches_everybody(stack: Stack) -> None:
    topic = new_topic()
    people = await on_each(stack, topic)
    await people[0].votes("before")
    await asyncio.to_thread(stack.manage, "shell", "--command", LAST_WORDS.format(poll=topic.partition("/")[2]))
    for member in people:
        await member.hears_of("last", SECONDS)
    await people[1].votes("after")
    for member in people:
        await member.hears_of("after")
        assert member.ids() == ["before", "last", "after"]
        await member.leave()


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", [[3, 2, 1], [2, 1, 3, 2, 1, 3], [3], [2, 3]], ids=str)
@pytest.mark.parametrize("new", [True, False], ids=["the first ones", "more"])
async def test_hints_in_any_order_are_heard_in_the_logs(
    stack: Stack, order: list[int], together: bool, new: bool
) -> None:
    topic = new_topic()
    people = await on_each(stack, topic)
    if not new:
        await people[0].votes("before")
        await people[1].hears_of("before")
    events, stored = store(stack, topic, [1, 2, 3])
    hints = [events[number - 1] for number in order]
    async with layer(stack) as outside:
        for some in [hints] if together else [[hint] for hint in hints]:
            await outside.publish(topic, some)
    for member in people:
        await member.hears_of(stored[-1], SECONDS)
    await people[1].votes("after")
    for member in people:
        await member.hears_of("after")
        assert member.ids() == [*([] if new else ["before"]), *stored, "after"]
        assert member.numbers() == list(range(1, len(member.ids()) + 1))
        await member.leave()


async def test_processes_that_append_to_one_topic_at_once_are_heard_in_one_order(stack: Stack) -> None:
    topic = new_topic()
    people = [await follow(process.ws_url, topic) for process in stack.ws for _ in range(3)]
    poll = topic.partition("/")[2]
    shell = f"from apps.polls.topics import Votes\nfor n in range(40): Votes(poll={poll!r}).append(n)"
    votes = [member.votes(new_id()) for member in people for _ in range(30)]
    await asyncio.gather(asyncio.to_thread(stack.manage, "shell", "--command", shell), *votes)
    log = [id for _, id, _ in stack.database.events(topic)]
    assert len(log) == len(votes) + 40
    for member in people:
        await member.hears_of(log[-1])
        assert member.ids() == log
        await member.leave()


# --- Returning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False], ids=["somebody is there", "nobody is there"])
@pytest.mark.parametrize("missed", [0, 3, 60, 1_000])
async def test_who_returns_gets_exactly_what_was_missed(stack: Stack, base: str, missed: int, there: bool) -> None:
    topic = new_topic()
    store(stack, topic, [0, 0])
    alice = await follow(stack.ws[0].ws_url, topic)
    if not there:
        await alice.leave()
    store(stack, topic, range(missed))
    bob = await follow(base, topic, since=2, epoch=alice.joined["epoch"])
    assert bob.joined["recovered"] is True
    await bob.votes("live")
    await bob.hears_of("live")
    assert bob.numbers() == list(range(3, missed + 4))
    assert max(len(text) for text in bob.received) <= 64 * 1024
    for member in (alice, bob):
        await member.leave()


async def test_who_missed_more_than_a_thousand_starts_afresh(stack: Stack, base: str) -> None:
    topic = new_topic()
    store(stack, topic, range(1_001))
    epoch = (await fresh(base, topic, last=1_001))["epoch"]
    await fresh(base, topic, last=1_001, since=0, epoch=epoch)
    bob = await follow(base, topic, since=1, epoch=epoch)
    assert bob.joined["recovered"] is True
    await bob.leave()


async def test_what_is_of_another_log_or_ahead_of_it_is_a_fresh_start(stack: Stack, base: str) -> None:
    topic = new_topic()
    store(stack, topic, range(3))
    epoch = (await fresh(base, topic, last=3))["epoch"]
    await fresh(base, topic, last=3, since=4, epoch=epoch)
    await fresh(base, topic, last=3, since=1, epoch="another")
    await fresh(base, topic, last=3, since=1, epoch="")


async def test_who_was_there_before_the_first_event_resumes_from_there(stack: Stack, base: str) -> None:
    topic = new_topic()
    bob = await follow(base, topic)
    assert (bob.joined["epoch"], bob.joined["seq"]) == ("", 0)
    bob.cut()
    _, stored = store(stack, topic, range(70))
    bob = await follow(base, topic, since=0, epoch="")
    assert bob.joined["recovered"] is True
    await bob.hears_of(stored[-1])
    assert bob.numbers() == list(range(1, 71))
    await bob.leave()


async def fresh(base: str, topic: str, last: int, **position: object) -> dict[str, object]:
    """What somebody is told who starts afresh: the latest, up to the last."""
    bob = await follow(base, topic, **position)
    joined = bob.joined
    assert (joined["recovered"], joined["seq"]) == (False, last)
    assert [event["seq"] for event in joined["events"]] == list(range(max(1, last - 49), last + 1))
    await bob.leave()
    return joined


# --- Pruning -----------------------------------------------------------------------------------------


async def test_pruning_while_people_follow_is_noticed_by_none_of_them(stack: Stack) -> None:
    topic = new_topic()
    people = await on_each(stack, topic)
    for number in range(5):
        await people[number % 2].votes(f"{number}")
    voting = asyncio.create_task(vote(people[0], 60))
    await asyncio.to_thread(stack.manage, "shell", "--command", PRUNED.format(topic=topic, seq=3))
    await voting
    for member in people:
        await member.until(lambda frame: 65 in [frame.get("seq")], "event 65")
        assert member.numbers() == list(range(1, 66))
        await member.leave()
    assert [seq for seq, _, _ in stack.database.events(topic)] == list(range(4, 66))


async def test_who_returns_to_more_than_is_kept_starts_afresh_and_who_misses_only_what_is_kept_resumes(
    stack: Stack, base: str
) -> None:
    topic = new_topic()
    store(stack, topic, range(10))
    epoch = (await fresh(base, topic, last=10))["epoch"]
    await asyncio.to_thread(stack.manage, "shell", "--command", PRUNED.format(topic=topic, seq=6))
    for since, recovered in ((5, False), (6, True), (10, True)):
        bob = await follow(base, topic, since=since, epoch=epoch)
        assert bob.joined["recovered"] is recovered
        assert bob.numbers() == (list(range(since + 1, 11)) if recovered else [7, 8, 9, 10])
        await bob.leave()


async def test_changes_are_shown_to_who_was_there_and_to_who_returns(stack: Stack, base: str) -> None:
    topic = new_topic()
    poll = topic.partition("/")[2]
    alice = await follow(base, topic)
    for id in ("first", "second"):
        await alice.votes(id)
    shell = f"from apps.polls.topics import Votes; v = Votes(poll={poll!r}); v.amend(1, 'amended'); v.retract(2)"
    await asyncio.to_thread(stack.manage, "shell", "--command", shell)
    epoch = (await alice.of_type("event"))["epoch"]
    for since, shown in ((0, {1: "amended", 2: None}), (2, {1: "amended", 2: None}), (3, {2: None}), (4, {})):
        bob = await follow(base, topic, since=since, epoch=epoch)
        assert bob.numbers() == list(range(since + 1, 5))
        assert told(bob) == shown
        await bob.leave()
    await alice.until(lambda frame: frame.get("seq") == 4, "the second change")
    assert told(alice) == {1: "amended", 2: None}
    await alice.leave()


def told(member: Following) -> dict[int, object]:
    """What the events are by what was heard; None is retracted."""
    found: dict[int, object] = {}
    for frame in member.frames:
        for entry in frame["events"] if frame["type"] == "joined" else [frame]:
            if entry["type"] in ("event", "change"):
                found[entry.get("about", entry["seq"])] = None if entry.get("retracted") else entry["data"]
    return found


async def vote(member: Following, times: int) -> None:
    for _ in range(times):
        await member.votes(new_id())

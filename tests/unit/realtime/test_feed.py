"""One room in one process: alice and bob are members who follow it, carol comes later or comes back."""

import asyncio
from collections.abc import AsyncIterator
from sys import getsizeof

import pytest

from realtime import feed as feed_module
from realtime import memory as memory_module
from realtime import repairing as repairing_module
from realtime.closing import RESTART, TOO_SLOW
from realtime.feed import Feed
from realtime.memory import remembered
from unit.realtime.fakes import Failing, Log, Permissive, Socket, Stubborn, frame, said, settled, until


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    yield Log()
    assert remembered.used == 0, "a test left its room open"


@pytest.fixture
async def feed(log: Log) -> AsyncIterator[Feed]:
    feed = Feed("1", "epoch", 0, log.read)
    yield feed
    await log.answer_everybody()
    feed.close()


def member(feed: Feed, key: str, position: int = 0, room: int = 1_000_000) -> Socket:
    socket = Socket(key, room)
    feed.follow(socket, position)
    return socket


def say(feed: Feed, log: Log, times: int = 1) -> None:
    for _ in range(times):
        tell(feed, log.say())


def tell(feed: Feed, seq: int) -> None:
    """In a turn of the loop of its own."""
    feed.take(seq, frame(seq))
    feed.hand_out()


async def level(feed: Feed, *sockets: Socket) -> None:
    await until(lambda: all(socket in feed.live for socket in sockets))


# --- Order -----------------------------------------------------------------------------------------


async def test_everybody_hears_everything_once_however_often_it_is_told(feed: Feed, log: Log) -> None:
    alice, bob = member(feed, "alice"), member(feed, "bob")
    for seq in (1, 2, 1, 2, 2, 3, 1):
        tell(feed, seq)
    assert alice.heard == bob.heard == said(1, 3)
    assert log.reads == []


async def test_what_comes_in_the_wrong_order_is_put_right_without_asking_the_log(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    for seq in (3, 2, 4):
        tell(feed, seq)
    assert alice.heard == []
    tell(feed, 1)
    assert alice.heard == said(1, 4)
    await asyncio.sleep(2 * repairing_module.REORDER_SECONDS)
    assert log.reads == []


async def test_a_number_that_never_comes_is_read_from_the_log_after_a_moment(
    feed: Feed, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing_module, "REORDER_SECONDS", 1)  # more than anything else takes here
    alice = member(feed, "alice")
    log.seqs = [1, 2, 3]
    began = asyncio.get_running_loop().time()
    tell(feed, 3)
    await settled()
    assert log.reads == []
    await until(lambda: alice.heard)
    assert alice.heard == said(1, 3)
    assert asyncio.get_running_loop().time() - began >= repairing_module.REORDER_SECONDS * 0.9


async def test_numbers_that_the_log_itself_has_lost_are_not_waited_for(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 4, 7]
    tell(feed, 7)
    await until(lambda: len(alice.heard) == 3)
    assert alice.heard == [frame(1), frame(4), frame(7)]
    tell(feed, 8)
    assert alice.heard[-1] == frame(8)


async def test_a_flood_from_the_future_does_not_fill_the_memory(
    feed: Feed, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "AHEAD_EVENTS", 5)
    alice = member(feed, "alice")
    log.seqs = list(range(1, 101))
    for seq in range(2, 101):
        tell(feed, seq)
    assert len(feed._ahead) == 5
    tell(feed, 1)
    assert alice.heard == said(1, 6)
    await until(lambda: alice.heard == said(1, 100))


async def test_what_is_said_in_one_turn_of_the_loop_is_one_write_to_each_socket(feed: Feed, log: Log) -> None:
    alice, bob = member(feed, "alice"), member(feed, "bob")
    for _ in range(20):
        seq = log.say()
        feed.take(seq, frame(seq))
        feed.cast("somebody types")
    assert alice.heard == []
    await settled()
    assert alice.heard == bob.heard == said(1, 20) + ["somebody types"] * 20
    assert alice.writes == bob.writes == 2


async def test_who_joins_before_a_round_has_gone_out_hears_it_once(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    feed.take(log.say(), frame(1))
    bob, carol = member(feed, "bob", position=0), member(feed, "carol", position=1)
    await level(feed, bob, carol)
    say(feed, log)
    assert alice.heard == bob.heard == said(1, 2)
    assert carol.heard == said(2, 2)


async def test_who_knows_a_message_before_this_process_does_not_hear_it_again(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    carol = member(feed, "carol", position=log.say())
    feed.take(1, frame(1))
    await level(feed, carol)
    await settled()
    assert (alice.heard, carol.heard) == (said(1, 1), [])


async def test_who_knows_a_message_before_this_process_stays_when_it_comes(feed: Feed, log: Log) -> None:
    carol = member(feed, "carol", position=log.say(), room=0)  # the welcome has to leave first
    await settled()
    feed.take(1, frame(1))
    carol.room = 10
    carol.read()
    await level(feed, carol)
    say(feed, log)
    assert carol.goodbye is None
    assert carol.heard == said(2, 2)
    assert log.reads == []


async def test_the_last_number_is_told_behind_the_messages_that_it_counts(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    feed.take(log.say(), frame(1))
    feed.cast("the last number is 1")
    await settled()
    assert alice.heard == [frame(1), "the last number is 1"]


# --- Repair ----------------------------------------------------------------------------------------


async def test_a_lost_tail_is_found_when_the_log_is_known_to_be_longer(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2]
    feed.check(0)
    assert log.reads == []
    feed.check(2)
    await until(lambda: alice.heard == said(1, 2))


async def test_what_the_log_is_ahead_in_a_busy_room_comes_by_itself(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2]
    feed.check(2)
    tell(feed, 1)
    tell(feed, 2)
    await until(lambda: feed._timer is None)
    await settled()
    assert alice.heard == said(1, 2)
    assert log.reads == []


async def test_a_gap_has_its_moment_also_where_it_follows_another_one(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2, 3, 4]
    tell(feed, 2)
    first = feed._timer
    tell(feed, 1)
    tell(feed, 4)
    await until(lambda: feed._timer is not first)
    assert log.reads == []
    await until(lambda: alice.heard == said(1, 4))
    assert log.reads[0] == 2


async def test_a_check_is_not_forgotten_because_a_gap_is_waited_for(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2, 3]
    tell(feed, 2)
    feed.check(3)
    tell(feed, 1)
    await until(lambda: alice.heard == said(1, 3))


async def test_what_was_heard_of_is_not_forgotten_where_the_log_could_not_be_read(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2, 3]
    log.broken = OSError("the database is away")
    feed.check(3)
    await until(lambda: log.reads)
    await settled()
    log.broken = None
    tell(feed, 1)  # as if nothing were missing
    await until(lambda: alice.heard == said(1, 3))


async def test_a_repair_goes_on_to_the_end_of_a_long_log(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = list(range(1, 2 * feed_module.REPLAY_EVENTS + 6))
    await feed.repair()
    assert alice.heard == said(1, 2 * feed_module.REPLAY_EVENTS + 5)


async def test_what_is_learnt_while_the_log_is_being_read_is_read_too(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.hold()
    feed.repair()
    await until(lambda: log.held)
    log.say()  # after the read that is under way has seen the log
    feed.repair()
    await log.answer_everybody()
    await until(lambda: alice.heard == said(1, 1))


async def test_a_log_that_cannot_be_read_is_asked_again_at_the_next_check(
    feed: Feed, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    alice = member(feed, "alice")
    log.say()
    log.broken = OSError("the database is away")
    await feed.repair()
    assert alice.heard == []
    assert alice.goodbye is None
    assert "the database is away" in caplog.text
    log.broken = None
    feed.check(1)
    await until(lambda: alice.heard == said(1, 1))


async def test_live_messages_overtake_a_slow_repair_and_are_not_told_twice(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2]
    log.hold()
    feed.check(2)
    await until(lambda: log.held)
    for seq in (1, 2, log.say()):
        tell(feed, seq)
    await log.answer_everybody()
    assert alice.heard == said(1, 3)


# --- Coming and coming back ------------------------------------------------------------------------


async def test_who_is_level_is_live_at_once_and_costs_no_task(feed: Feed, log: Log) -> None:
    say(feed, log, 3)
    carol = member(feed, "carol", position=3)
    assert carol in feed.live
    assert feed.behind == {}
    say(feed, log)
    assert carol.heard == said(4, 4)


async def test_what_was_heard_before_a_change_is_read_from_the_log(log: Log) -> None:
    feed = Feed("1", "epoch", 0, log.read, product=Permissive())
    member(feed, "alice")
    say(feed, log, 3)
    assert feed.remembered(0)
    log.say()
    feed.take(4, "change of 2")
    say(feed, log)
    assert [seq for seq, _ in feed.remembered(3)] == [4, 5]
    carol = member(feed, "carol", 1)
    await level(feed, carol)
    assert carol.heard == said(2, 5)
    feed.close()


async def test_who_comes_back_gets_what_was_missed_from_memory(feed: Feed, log: Log) -> None:
    member(feed, "alice")
    say(feed, log, 10)
    carol = member(feed, "carol", position=4)
    await level(feed, carol)
    assert carol.heard == said(5, 10)
    assert log.reads == []


async def test_who_was_away_for_longer_gets_it_from_the_log(feed: Feed, log: Log) -> None:
    member(feed, "alice")
    say(feed, log, memory_module.MEMORY_EVENTS + 10)
    carol = member(feed, "carol", position=2)
    await level(feed, carol)
    assert carol.heard == said(3, memory_module.MEMORY_EVENTS + 10)
    assert log.reads == [2]


async def test_a_crowd_that_comes_back_together_is_one_read(feed: Feed, log: Log) -> None:
    member(feed, "alice")
    say(feed, log, memory_module.MEMORY_EVENTS + 10)
    crowd = [member(feed, f"carol {number}", position=1) for number in range(50)]
    await level(feed, *crowd)
    assert log.reads == [1]
    assert all(carol.heard == said(2, memory_module.MEMORY_EVENTS + 10) for carol in crowd)


@pytest.mark.parametrize("moment", ["before the read", "during the read", "after the read"])
async def test_nothing_is_lost_or_doubled_whenever_somebody_speaks_while_carol_arrives(
    feed: Feed, log: Log, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "MEMORY_EVENTS", 2)
    member(feed, "alice")
    say(feed, log, 10)
    log.hold()
    carol = member(feed, "carol", position=1)
    if moment == "before the read":
        say(feed, log, 3)
    await until(lambda: log.held)
    if moment == "during the read":
        say(feed, log, 3)
    await log.answer()
    if moment == "after the read":
        say(feed, log, 3)
    await log.answer_everybody()
    await level(feed, carol)
    say(feed, log)
    assert carol.heard == said(2, 14)
    assert carol.goodbye is None


async def test_somebody_who_read_the_log_before_this_process_heard_of_it_waits_for_it(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2, 3]
    carol = member(feed, "carol", position=3)
    await level(feed, carol)
    assert alice.heard == said(1, 3)
    say(feed, log)
    assert carol.heard == said(4, 4)


async def test_a_stale_read_under_way_is_no_reason_to_send_a_newcomer_away(feed: Feed, log: Log) -> None:
    alice = member(feed, "alice")
    log.hold()
    feed.repair()
    await until(lambda: log.held)
    log.seqs = [1, 2]
    carol = member(feed, "carol", position=2)
    await settled()
    await log.answer()
    assert carol.goodbye is None
    await log.answer_everybody()
    await level(feed, carol)
    assert alice.heard == said(1, 2)
    assert carol.heard == []


async def test_who_leaves_while_being_brought_level_hears_no_more(feed: Feed, log: Log) -> None:
    member(feed, "alice")
    say(feed, log, 3)
    feed._memory._events.clear()
    remembered.used = 0
    log.hold()
    carol = member(feed, "carol", position=0)
    await until(lambda: log.held)
    feed.leave(carol)
    await log.answer_everybody()
    say(feed, log)
    assert carol.heard == []
    assert carol.goodbye is None
    assert feed.behind == {}


async def test_the_others_still_get_a_read_whose_first_asker_has_left(
    feed: Feed, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "MEMORY_EVENTS", 1)
    member(feed, "alice")
    say(feed, log, 3)
    log.hold()
    bob, carol = member(feed, "bob", position=1), member(feed, "carol", position=1)
    await until(lambda: log.held)
    await settled()
    feed.leave(bob)
    await log.answer_everybody()
    await level(feed, carol)
    assert carol.heard == said(2, 3)
    assert log.reads == [1]


async def test_who_leaves_while_the_room_is_repaired_does_not_strand_who_waits_for_the_same(
    feed: Feed, log: Log
) -> None:
    alice = member(feed, "alice")
    log.seqs = [1, 2]
    log.hold()
    bob, carol = member(feed, "bob", position=2), member(feed, "carol", position=2)
    await until(lambda: log.held)
    await settled()
    feed.leave(bob)
    await log.answer_everybody()
    await level(feed, carol)
    assert alice.heard == said(1, 2)


# --- The slow --------------------------------------------------------------------------------------


async def test_a_slow_socket_delays_nobody_and_is_caught_up_when_it_reads(feed: Feed, log: Log) -> None:
    alice, bob = member(feed, "alice"), member(feed, "bob", room=2)
    say(feed, log, 9)
    assert alice.heard == said(1, 9)
    assert bob.heard == said(1, 2)
    for _ in range(5):
        bob.read()
        await settled()
    await level(feed, bob)
    say(feed, log)
    assert bob.heard == said(1, 10)


async def test_who_takes_nothing_for_too_long_is_closed_as_too_slow(feed: Feed, log: Log) -> None:
    alice, bob = member(feed, "alice"), member(feed, "bob", room=1)
    say(feed, log, 3)
    await settled()
    bob.exhaust_patience()
    await until(lambda: bob.goodbye)
    assert bob.goodbye is TOO_SLOW
    assert alice.goodbye is None
    assert alice.heard == said(1, 3)


async def test_what_has_no_number_reaches_whoever_is_level_but_not_its_author(feed: Feed) -> None:
    alice, bob = member(feed, "alice"), member(feed, "bob")
    alices_second_tab = member(feed, "alice")
    feed.cast("alice types", except_key="alice")
    await settled()
    assert (alice.heard, alices_second_tab.heard, bob.heard) == ([], [], ["alice types"])
    feed.cast("for all")
    await settled()
    assert alice.heard == ["for all"]


# --- A log that went back ----------------------------------------------------------------------------


@pytest.mark.parametrize("position", [2, 9])
async def test_a_log_restored_behind_the_hub_sends_who_arrives_back_for_a_fresh_start(
    feed: Feed, log: Log, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "MEMORY_EVENTS", 1)
    alice = member(feed, "alice")
    say(feed, log, 5)
    log.seqs = [1, 2]
    carol = member(feed, "carol", position=position)
    await until(lambda: carol.goodbye)
    assert carol.goodbye is RESTART
    assert alice.heard == said(1, 5)


async def test_who_cannot_be_brought_level_because_the_log_is_away_is_sent_back(
    feed: Feed, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "MEMORY_EVENTS", 1)
    say(feed, log, 5)
    log.broken = OSError("the database is away")
    bob, carol = member(feed, "bob", position=1), member(feed, "carol", position=1)
    await until(lambda: bob.goodbye and carol.goodbye)
    assert carol.goodbye is RESTART


# --- Memory ----------------------------------------------------------------------------------------


async def test_only_the_latest_are_remembered_and_nothing_after_the_last_has_gone(feed: Feed, log: Log) -> None:
    say(feed, log, memory_module.MEMORY_EVENTS + 50)
    assert len(feed._memory._events) == memory_module.MEMORY_EVENTS
    assert remembered.used == sum(getsizeof(event.frame) for event in feed._memory._events)
    feed.close()
    assert remembered.used == 0


async def test_all_rooms_together_remember_a_bounded_number_of_bytes(
    feed: Feed, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "MEMORY_BYTES", 500)
    other = Feed("2", "epoch", 0, log.read)
    say(other, log, 20)
    for seq in range(1, 21):
        tell(feed, seq)
    assert 0 < remembered.used <= 500
    other.close()
    feed.close()
    assert remembered.used == 0


async def test_a_room_closed_while_somebody_is_being_brought_level_remembers_nothing_more(
    feed: Feed, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_module, "MEMORY_EVENTS", 1)
    alice = member(feed, "alice")
    say(feed, log, 5)
    log.seqs = list(range(1, 9))
    log.hold()
    carol = member(feed, "carol", position=1)
    await until(lambda: log.held)
    feed.close()
    await log.answer_everybody()
    assert remembered.used == 0
    assert carol.heard == []
    assert alice.heard == said(1, 5)


# --- One who fails ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Failing, Stubborn])
@pytest.mark.parametrize("number", range(3))
async def test_one_who_fails_costs_the_others_nothing_and_is_closed(
    feed: Feed, log: Log, kind: type[Failing], number: int
) -> None:
    """Wherever among three she is in the set; which that is, nobody knows."""
    sockets = [kind("carol") if index == number else Socket(f"member {index}") for index in range(3)]
    for socket in sockets:
        feed.follow(socket, 0)
    say(feed, log, 10)
    feed.cast("typing")
    feed.hand_out()
    carol = sockets.pop(number)
    assert [socket.heard for socket in sockets] == [[*said(1, 10), "typing"]] * 2
    assert carol.goodbye is RESTART
    assert carol not in feed.live


@pytest.mark.parametrize("kind", [Failing, Stubborn])
async def test_one_who_fails_at_what_may_get_lost_costs_the_others_nothing(feed: Feed, kind: type[Failing]) -> None:
    alice, carol, bob = Socket("alice"), kind("carol"), Socket("bob")
    for socket in (alice, carol, bob):
        feed.follow(socket, 0)
    feed.cast("typing", except_key="bob")
    feed.cast("seq")
    feed.hand_out()
    assert (alice.heard, bob.heard) == (["typing", "seq"], ["seq"])
    assert carol.goodbye is RESTART

"""Rooms over several processes: alice's and bob's hub, one log, and a layer that may lose everything."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from realtime import checking, heartbeat, metrics, standing
from realtime import hub as hub_module
from realtime import wire as wire_module
from realtime.closing import DISCONNECTED, FORBIDDEN, LOGIN, NO_SUCH_ROOM, RESTART
from realtime.contract import Changed, Numbered
from realtime.feed import Feed
from realtime.hub import Hub
from realtime.layers import group_of
from realtime.memory import remembered
from realtime.standing import Notice, Verdict
from unit.realtime.fakes import (
    OURS,
    Failing,
    Layer,
    Log,
    Permissive,
    Socket,
    Stubborn,
    frame,
    said,
    settled,
    until,
)


class Rooms(Permissive):
    """What is stored, and how the hub's own frames are worded."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[str, Log] = {}
        self.epoch = "epoch"
        self.away = False
        self.asked: list[float] = []
        self.lately = 1.0  # a room that has changed earlier than this is not told of by itself

    def log(self, room: str) -> Log:
        return self.logs.setdefault(room, Log())

    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        return await self.log(room).read(room, after, limit)

    async def changed(self, seconds: float) -> list[Changed]:
        if self.away:
            raise OSError("the database is away")
        self.asked.append(seconds)
        return [Changed(room, self.epoch, log.seqs[-1]) for room, log in self.logs.items() if log.seqs]

    def seq_frame(self, room: str, seq: int, epoch: str) -> str:
        return f"seq {seq}"

    def presence_frame(
        self, room: str, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int
    ) -> str:
        return json.dumps({"joined": joined, "left": left, "count": member_count})


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "LAYER_SECONDS", 0.05)
    monkeypatch.setattr(wire_module, "LAYER_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(checking, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(hub_module, "TICK_SECONDS", 0.02)


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    return layer


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


Make = Callable[[], Hub]


@pytest.fixture
async def process(layer: Layer, rooms: Rooms) -> AsyncIterator[Make]:
    hubs: list[Hub] = []

    def make() -> Hub:
        hubs.append(Hub(rooms))
        return hubs[-1]

    yield make
    for hub in hubs:
        await hub.close()
    assert remembered.used == 0


def join(hub: Hub, rooms: Rooms, key: str, room: str = "1", position: int | None = None) -> tuple[Socket, Feed]:
    socket = Socket(key)
    last = len(rooms.log(room).seqs) if position is None else position
    person = {"name": key, "guest": False}
    return socket, hub.join(room, socket, person, epoch=rooms.epoch, position=last)


def say(hub: Hub, rooms: Rooms, room: str = "1") -> None:
    seq = rooms.log(room).say()
    hub.publish(room, rooms.epoch, seq, frame(seq))


def messages(socket: Socket) -> list[str]:
    return [text for text in socket.heard if text.startswith("said")]


async def entered(layer: Layer, processes: int, room: str = "1") -> None:
    await until(lambda: layer.members(group_of(room, OURS)) == processes)


# --- Between processes -----------------------------------------------------------------------------


async def test_alice_speaks_and_bob_in_another_process_hears_her_and_carol_in_another_room_does_not(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    here, there = process(), process()
    alice, _ = join(here, rooms, "alice")
    bob, _ = join(there, rooms, "bob")
    carol, _ = join(there, rooms, "carol", room="2")
    await entered(layer, 2)
    say(here, rooms)
    await settled()
    assert messages(alice) == said(1, 1)
    await until(lambda: messages(bob) == said(1, 1))
    assert messages(carol) == []


async def test_a_process_is_one_member_of_a_room_and_a_message_is_sent_once_however_many_are_there(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    hub = process()
    sockets = [join(hub, rooms, f"member {number}")[0] for number in range(50)]
    await entered(layer, 1)
    say(hub, rooms)
    await until(lambda: any(event.get("seq") for message in layer.sent for event in message["events"]))
    assert layer.added.count(group_of("1", OURS)) == 1
    assert sum("seq" in event for message in layer.sent for event in message["events"]) == 1
    assert all(messages(socket) == said(1, 1) for socket in sockets)


async def test_two_processes_that_speak_at_once_are_heard_in_the_same_order(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    here, there, elsewhere = process(), process(), process()
    sockets = [join(hub, rooms, "somebody")[0] for hub in (here, there, elsewhere)]
    await entered(layer, 3)
    for number in range(100):
        say((here, there)[number % 2], rooms)
    await until(lambda: all(len(messages(socket)) >= 100 for socket in sockets))
    assert all(messages(socket) == said(1, 100) for socket in sockets)


async def test_typing_reaches_everybody_but_its_author(layer: Layer, rooms: Rooms, process: Make) -> None:
    here, there = process(), process()
    alice, _ = join(here, rooms, "alice")
    second_tab, _ = join(there, rooms, "alice")
    bob, _ = join(there, rooms, "bob")
    await entered(layer, 2)
    here.mention("1", "alice types", by="alice")
    await until(lambda: "alice types" in bob.heard)
    assert "alice types" not in alice.heard + second_tab.heard


# --- When the layer fails ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["down", "stalled", "lossy"])
async def test_without_the_layer_it_takes_longer_and_nothing_is_lost(
    layer: Layer, rooms: Rooms, process: Make, fault: str
) -> None:
    here, there = process(), process()
    setattr(layer, fault, True)
    alice, _ = join(here, rooms, "alice")
    bob, _ = join(there, rooms, "bob")
    for _ in range(5):
        say(here, rooms)
    await settled()
    assert messages(alice) == said(1, 5)
    await until(lambda: messages(bob) == said(1, 5))
    setattr(layer, fault, False)
    await entered(layer, 2)
    say(here, rooms)
    await until(lambda: messages(bob) == said(1, 6))
    assert bob.goodbye is None


async def test_once_the_layer_is_back_messages_come_by_it_again(
    layer: Layer, rooms: Rooms, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer.down = True
    here, there = process(), process()
    join(here, rooms, "alice")
    bob, _ = join(there, rooms, "bob")
    await until(lambda: layer.refused)
    layer.down = False
    await entered(layer, 2)
    rooms.away = True  # nothing else could bring it
    say(here, rooms)
    await until(lambda: messages(bob) == said(1, 1))


async def test_what_was_said_before_the_group_was_entered_is_read(layer: Layer, rooms: Rooms, process: Make) -> None:
    rooms.away = True
    layer.down = True
    hub = process()
    bob, _ = join(hub, rooms, "bob")
    await until(lambda: rooms.log("1").reads)
    rooms.log("1").say()
    layer.down = False
    await until(lambda: messages(bob) == said(1, 1))


async def test_what_was_said_between_the_newcomers_look_and_the_joining_is_read(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    layer.down = rooms.away = True
    rooms.log("1").seqs = [1, 2, 3]
    bob, _ = join(process(), rooms, "bob", position=1)
    await until(lambda: messages(bob) == said(2, 3))


async def test_after_an_outage_of_the_database_the_whole_time_is_asked_for(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    join(process(), rooms, "bob")
    await until(lambda: rooms.asked)
    rooms.away = True
    await asyncio.sleep(0.3)
    before = len(rooms.asked)
    rooms.away = False
    await until(lambda: len(rooms.asked) > before)
    assert rooms.asked[before] >= 0.3
    await until(lambda: rooms.asked[-1] < 0.3)  # whatever else the machine is doing meanwhile


async def test_a_process_without_sockets_asks_the_log_nothing(layer: Layer, rooms: Rooms, process: Make) -> None:
    process()
    await asyncio.sleep(0.1)
    assert rooms.asked == []


# --- A log that was restored -------------------------------------------------------------------------


async def test_another_epoch_sends_the_members_back_for_a_fresh_start(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    hub = process()
    alice, feed = join(hub, rooms, "alice")
    say(hub, rooms)
    rooms.epoch = "restored"
    await until(lambda: alice.goodbye)
    assert alice.goodbye is RESTART
    hub.leave(feed, alice)
    again, _ = join(hub, rooms, "alice")
    assert hub.feeds["1"].epoch == "restored"
    say(hub, rooms)
    await settled()
    assert messages(again) == said(2, 2)
    assert again.goodbye is None


async def test_what_somebody_has_taken_in_one_process_is_taken_in_the_others(process: Make) -> None:
    alices, bobs = process(), process()
    here, there = (hub.rates.enter({"mallory": (10, 20)}) for hub in (alices, bobs))
    while not there.take(bobs.loop.time()):  # until all is taken there
        pass
    await until(lambda: here.early(alices.loop.time()) > 0)  # who has taken nothing here


async def test_who_arrives_with_a_new_epoch_starts_the_room_afresh(layer: Layer, rooms: Rooms, process: Make) -> None:
    rooms.away = True
    hub = process()
    alice, old = join(hub, rooms, "alice")
    rooms.epoch = "restored"
    bob, _ = join(hub, rooms, "bob")
    assert (alice.goodbye, bob.goodbye) == (RESTART, None)
    hub.leave(old, alice)
    say(hub, rooms)
    await settled()
    assert messages(bob) == said(1, 1)
    assert messages(alice) == []


async def test_a_log_that_went_back_sends_the_members_back(layer: Layer, rooms: Rooms, process: Make) -> None:
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    for _ in range(5):
        say(hub, rooms)
    await until(lambda: hub.feeds["1"].checked == 5)
    assert alice.goodbye is None
    rooms.log("1").seqs = [1, 2]
    await until(lambda: alice.goodbye)
    assert alice.goodbye is RESTART


async def test_an_answer_older_than_what_was_said_meanwhile_is_no_reason_to_send_anybody_back(
    layer: Layer, rooms: Rooms, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    real, answers = rooms.changed, []

    async def late(seconds: float) -> list[Changed]:
        answer = await real(seconds)
        say(hub, rooms)
        answers.append(answer)
        return answer

    monkeypatch.setattr(rooms, "changed", late)
    await until(lambda: len(answers) > 3)
    assert alice.goodbye is None


# --- Leaving -----------------------------------------------------------------------------------------


async def test_the_last_who_leaves_takes_everything_along(layer: Layer, rooms: Rooms, process: Make) -> None:
    hub = process()
    alice, feed = join(hub, rooms, "alice")
    bob, _ = join(hub, rooms, "bob")
    await entered(layer, 1)
    say(hub, rooms)
    await settled()
    hub.leave(feed, alice)
    assert "1" in hub.feeds
    hub.leave(feed, bob)
    assert hub.feeds == {}
    assert remembered.used == 0
    await entered(layer, 0)
    say(hub, rooms)
    await settled()
    assert messages(bob) == said(1, 1)
    names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    assert not any(name.startswith("Feed.") for name in names)


async def test_members_sent_back_who_do_not_return_leave_nothing_behind(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    hub = process()
    alice, feed = join(hub, rooms, "alice")
    await entered(layer, 1)
    say(hub, rooms)
    rooms.epoch = "restored"
    await until(lambda: alice.goodbye)
    hub.leave(feed, alice)
    await entered(layer, 0)
    assert hub.feeds == {}


async def test_late_leavers_of_a_room_that_started_afresh_do_not_close_it(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    hub = process()
    alice, old = join(hub, rooms, "alice")
    rooms.epoch = "restored"
    bob, new = join(hub, rooms, "bob")
    hub.leave(old, alice)
    assert hub.feeds["1"] is new
    await entered(layer, 1)
    assert bob in new.live


# --- What the hub says by itself ---------------------------------------------------------------------


async def test_a_quiet_room_is_told_its_last_number_again_and_again(
    layer: Layer, rooms: Rooms, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "SEQ_SECONDS", 0.05)
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    say(hub, rooms)
    await until(lambda: alice.heard.count("seq 1") >= 3)


async def test_nobody_is_told_about_her_own_coming(layer: Layer, rooms: Rooms, process: Make) -> None:
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    await asyncio.sleep(0.1)
    bob, _ = join(hub, rooms, "bob")
    told = '{"joined": [{"name": "bob", "guest": false}], "left": [], "count": 2}'
    await until(lambda: told in alice.heard)
    assert not any('"bob"' in text for text in bob.heard)
    assert not any('"alice"' in text for text in alice.heard)


async def test_what_a_room_with_sockets_here_remembers_is_known_without_the_log(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    hub = process()
    for _ in range(3):
        rooms.log("1").say()
    join(hub, rooms, "alice")
    await entered(layer, 1)
    for _ in range(2):
        say(hub, rooms)
    rooms.log("1").reads.clear()
    assert hub.remembered("1", rooms.epoch, 5) == []
    assert hub.remembered("1", rooms.epoch, 4) == [Numbered(5, frame(5))]
    assert [event.seq for event in hub.remembered("1", rooms.epoch, 3) or ()] == [4, 5]
    assert hub.remembered("1", rooms.epoch, 2) is None  # before alice came
    assert hub.remembered("1", rooms.epoch, 6) is None
    assert hub.remembered("1", "another", 5) is None
    assert hub.remembered("2", rooms.epoch, 5) is None
    assert rooms.log("1").reads == []


# --- One who fails ---------------------------------------------------------------------------------


def join_failing(hub: Hub, kind: type[Failing]) -> Failing:
    carol = kind("carol")
    person = {"name": "carol", "guest": False}
    hub.join("1", carol, person, epoch="epoch", position=0)
    return carol


@pytest.mark.parametrize("kind", [Failing, Stubborn])
async def test_one_who_fails_does_not_keep_the_others_from_hearing_who_came(
    layer: Layer, rooms: Rooms, process: Make, kind: type[Failing]
) -> None:
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    carol = join_failing(hub, kind)
    bob, _ = join(hub, rooms, "bob")
    for socket in (alice, bob):
        await until(lambda socket=socket: any('"count": 3' in text for text in socket.heard))
    assert carol.goodbye is RESTART


async def test_one_who_fails_does_not_keep_the_others_in_a_log_that_is_another(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    hub = process()
    sockets = [join(hub, rooms, "alice")[0], join_failing(hub, Stubborn), join(hub, rooms, "bob")[0]]
    hub._restart(hub.feeds["1"])
    assert [socket.goodbye for socket in sockets] == [RESTART] * 3


async def test_a_room_that_cannot_be_compared_does_not_keep_the_others_from_it(
    layer: Layer, rooms: Rooms, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(seq: int) -> None:
        raise ArithmeticError("asked for")

    hub = process()
    _, first = join(hub, rooms, "carol", room="1")
    monkeypatch.setattr(first, "check", fail)
    alice, _ = join(hub, rooms, "alice", room="2")
    await settled()  # both have looked at the log
    rooms.log("1").say()
    rooms.log("2").say()
    await until(lambda: messages(alice) == said(1, 1))


async def test_presence_that_fails_does_not_silence_the_quiet_rooms(
    layer: Layer, rooms: Rooms, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "SEQ_SECONDS", 0.05)
    hub = process()
    monkeypatch.setattr(hub.presence, "tick", lambda: 1 / 0)
    alice, _ = join(hub, rooms, "alice")
    await until(lambda: alice.heard.count("seq 0") >= 3)


async def test_a_frame_that_cannot_be_made_does_not_silence_a_room_for_good(
    layer: Layer, rooms: Rooms, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(room: str, seq: int, epoch: str) -> str:
        monkeypatch.undo()
        raise ArithmeticError("asked for")

    monkeypatch.setattr(heartbeat, "SEQ_SECONDS", 0.05)
    monkeypatch.setattr(rooms, "seq_frame", fail_once)
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    monkeypatch.setattr(heartbeat, "SEQ_SECONDS", 0.05)
    await until(lambda: "seq 0" in alice.heard)


async def test_a_number_of_another_log_is_dropped_and_counted(layer: Layer, rooms: Rooms, process: Make) -> None:
    alices, bobs = process(), process()
    alice, _ = join(alices, rooms, "alice")
    bob, _ = join(bobs, rooms, "bob")
    await entered(layer, 2)
    before = metrics.foreign._value.get()
    for seq in (1, 2, 1_000):
        alices.publish("1", "restored", seq, frame(seq))
    say(alices, rooms)
    await until(lambda: messages(bob))
    await settled()
    assert messages(alice) == messages(bob) == said(1, 1)
    assert bobs.feeds["1"]._expected <= 1, "that number is not waited for"
    assert metrics.foreign._value.get() - before == 6  # in both processes


# --- Who may stay --------------------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A doubt is looked into soon; nobody else is asked about."""
    monkeypatch.setattr(standing, "DOUBT_SECONDS", 0.01)
    monkeypatch.setattr(checking, "CHECK_SECONDS", 3600)


async def test_who_is_doubted_anywhere_is_looked_at_in_every_process(
    layer: Layer, rooms: Rooms, process: Make, soon: None
) -> None:
    alices, bobs = process(), process()
    alice, _ = join(alices, rooms, "alice")
    carol, _ = join(alices, rooms, "carol")
    tab, _ = join(bobs, rooms, "alice")
    await entered(layer, 2)
    rooms.verdict = Verdict({alice: LOGIN, tab: FORBIDDEN}, {})
    bobs.doubt(person="alice")
    await until(lambda: alice.goodbye and tab.goodbye)
    assert (alice.goodbye, tab.goodbye, carol.goodbye) == (LOGIN, FORBIDDEN, None)
    assert all(carol not in followers and doubted for followers, doubted in rooms.judged)


async def test_a_doubt_is_looked_into_more_than_once(layer: Layer, rooms: Rooms, process: Make, soon: None) -> None:
    """Whoever announces a log-out may do so before the session is gone."""
    layer.lossy = True  # it would bring the doubt once more
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    hub.doubt(person="alice")
    await until(lambda: rooms.judged)
    assert alice.goodbye is None
    rooms.verdict = Verdict({alice: LOGIN}, {})
    await until(lambda: alice.goodbye)
    await until(lambda: hub.standing.task is None)
    assert len(rooms.judged) == standing.DOUBT_LOOKS


async def test_who_is_put_out_anywhere_goes_from_every_process_and_may_come_back(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    alices, bobs = process(), process()
    alice, _ = join(alices, rooms, "alice")
    tab, _ = join(bobs, rooms, "alice")
    idle = Socket("alice")  # follows nothing
    bobs.present.enter(idle)
    bob, _ = join(bobs, rooms, "bob")
    await entered(layer, 2)
    notice = Notice(1, person="alice", out=True)
    alices.notify(notice)
    await until(lambda: alice.goodbye and tab.goodbye and idle.goodbye)
    assert {alice.goodbye, tab.goodbye, idle.goodbye} == {DISCONNECTED}
    assert bob.goodbye is None
    back, _ = join(bobs, rooms, "alice")
    rooms.noticed = [notice]
    asked = len(rooms.asked)
    await until(lambda: len(rooms.asked) > asked + 6)
    assert back.goodbye is None, "it was heeded twice"


async def test_notice_that_the_layer_loses_is_found_in_the_database(layer: Layer, rooms: Rooms, process: Make) -> None:
    layer.down = True
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    bob, _ = join(hub, rooms, "bob", room="2")
    rooms.noticed = [Notice(1, room="1", out=True)]
    await until(lambda: alice.goodbye is DISCONNECTED)
    assert bob.goodbye is None


async def test_notice_reaches_a_socket_that_follows_nothing_where_nobody_follows_anything(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    layer.down = True
    hub, idle = process(), Socket("alice")
    hub.present.enter(idle)
    rooms.noticed = [Notice(1, person="alice", out=True)]
    await until(lambda: idle.goodbye is DISCONNECTED)


async def test_notice_of_before_a_process_began_is_none_of_its_business(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    """Who was put out a moment ago has come back here."""
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    rooms.noticed = [Notice(1, person="alice", out=True, age=25)]
    await until(lambda: len(rooms.asked) > 3)
    assert alice.goodbye is None


async def test_who_is_to_be_looked_at_anew_is_doubted(layer: Layer, rooms: Rooms, process: Make, soon: None) -> None:
    alices, bobs = process(), process()
    alice, _ = join(alices, rooms, "alice")
    await entered(layer, 1)
    bobs.notify(Notice(1, person="alice"))
    await until(lambda: ([alice], True) in rooms.judged)
    assert alice.goodbye is None


async def test_a_socket_that_follows_nothing_is_looked_at_like_any_other(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    hub, idle = process(), Socket("alice")
    idle.product = rooms  # type: ignore[attr-defined]
    hub.present.enter(idle)
    rooms.verdict = Verdict({idle: LOGIN}, {})
    await until(lambda: idle.goodbye is LOGIN)


async def test_what_is_told_to_alice_alone_reaches_her_other_tabs_in_every_process(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    alices, bobs = process(), process()
    tabs = {"this": join(alices, rooms, "alice")[0], "next": join(alices, rooms, "alice")[0]}
    tabs["elsewhere"], _ = join(bobs, rooms, "alice")
    elsewhere_else, _ = join(bobs, rooms, "alice", room="2")
    bob, _ = join(bobs, rooms, "bob")
    for hub in (alices, bobs):
        for feed in hub.feeds.values():
            for one in feed.live:
                hub.present.enter(one)
    await entered(layer, 2)
    alices.tell("1", "for alice", to="alice", but=tabs["this"])
    await until(lambda: "for alice" in tabs["next"].heard and "for alice" in tabs["elsewhere"].heard)
    assert not {"for alice"} & {*tabs["this"].heard, *elsewhere_else.heard, *bob.heard}


async def test_a_room_that_is_gone_takes_everybody_along_in_every_process(
    layer: Layer, rooms: Rooms, process: Make, soon: None
) -> None:
    alices, bobs = process(), process()
    alice, _ = join(alices, rooms, "alice")
    bob, _ = join(bobs, rooms, "bob")
    carol, _ = join(bobs, rooms, "carol", room="2")
    await entered(layer, 2)
    rooms.verdict = Verdict({}, {"1": NO_SUCH_ROOM})
    alices.doubt(room="1")
    await until(lambda: alice.goodbye and bob.goodbye)
    assert (alice.goodbye, bob.goodbye, carol.goodbye) == (NO_SUCH_ROOM, NO_SUCH_ROOM, None)
    assert (list(alices.feeds), list(bobs.feeds)) == ([], ["2"])
    assert bobs.remembered("1", rooms.epoch, 0) is None


async def test_everybody_is_looked_at_again_and_again_whether_the_layer_or_the_log_answers_or_not(
    layer: Layer, rooms: Rooms, process: Make
) -> None:
    layer.stalled = rooms.away = True
    hub = process()
    alice, _ = join(hub, rooms, "alice")
    await until(lambda: ([alice], False) in rooms.judged)
    rooms.verdict = Verdict({alice: LOGIN}, {})
    await until(lambda: alice.goodbye is LOGIN)


async def test_where_it_cannot_be_asked_who_may_stay_everybody_stays_and_it_is_asked_again(
    layer: Layer, rooms: Rooms, process: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(followers: Any, doubted: bool) -> Verdict:
        raise OSError("the database is away")

    with monkeypatch.context() as while_away:
        while_away.setattr(rooms, "judge", fail)
        hub = process()
        alice, _ = join(hub, rooms, "alice")
        bob, _ = join(hub, rooms, "bob")
        await until(lambda: "the database is away" in caplog.text)
    hub.standing._judge = rooms.judge
    monkeypatch.setattr(alice, "close_with", lambda goodbye: 1 / 0)
    rooms.verdict = Verdict({alice: LOGIN, bob: LOGIN}, {})
    await until(lambda: bob.goodbye)

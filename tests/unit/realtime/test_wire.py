"""The line between processes: alice's process and bob's, and a layer between them that fails in every way."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from realtime import hearing as hearing_module
from realtime import metrics
from realtime import outgoing as outgoing_module
from realtime import wire as wire_module
from realtime.events import Event
from realtime.layers import group_of
from realtime.limits import LAYER_ROOMS
from realtime.outgoing import weight
from realtime.wire import Wire
from unit.realtime.fakes import OURS, Layer, settled, tasks_of, until

COMMON = group_of(None, OURS)


class Process:
    """One end of the line, with what it was told."""

    def __init__(self, name: str, layer: Layer) -> None:
        self.heard: list[tuple[str | None, Event]] = []
        self.entered: list[str] = []
        self.installation = OURS
        self.wire = Wire(layer, name, self.identify, self.hear, self.entered.append)

    async def identify(self) -> str:
        return self.installation

    def hear(self, room: str | None, event: Event) -> None:
        if event == {"poison": True}:
            raise ValueError("cannot be taken")
        self.heard.append((room, event))

    async def enter(self, room: str) -> None:
        times = self.entered.count(room)
        self.wire.enter(room)
        await until(lambda: self.entered.count(room) > times)

    async def stop(self) -> None:
        for task in tasks_of(self.wire):
            task.cancel()
        await asyncio.wait(tasks_of(self.wire))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "LAYER_SECONDS", 0.05)
    monkeypatch.setattr(wire_module, "LAYER_RETRY_SECONDS", 0.01)


@pytest.fixture
def layer() -> Layer:
    return Layer()


@pytest.fixture
async def process(layer: Layer) -> AsyncIterator[Callable[[str], Process]]:
    made: list[Process] = []

    def make(name: str) -> Process:
        made.append(Process(name, layer))
        return made[-1]

    yield make
    for one in made:
        await one.stop()


Make = Callable[[str], Process]


async def test_what_one_process_sends_the_others_in_the_room_hear_and_it_does_not(layer: Layer, process: Make) -> None:
    alices, bobs, carols = process("a"), process("b"), process("c")
    await alices.enter("1")
    await bobs.enter("1")
    await carols.enter("2")
    alices.wire.send("1", {"seq": 1})
    await until(lambda: bobs.heard)
    assert bobs.heard == [("1", {"seq": 1})]
    assert alices.heard == carols.heard == []


async def test_what_is_for_all_comes_back_to_its_sender_who_counts_on_it(layer: Layer, process: Make) -> None:
    alices, bobs = process("a"), process("b")
    await until(lambda: layer.members(COMMON) == 2)
    alices.wire.send(None, {"lease": 1})
    await until(lambda: alices.heard and bobs.heard)
    assert alices.heard == bobs.heard == [(None, {"lease": 1})]


async def test_what_comes_together_travels_together_and_in_order(layer: Layer, process: Make) -> None:
    alices, bobs = process("a"), process("b")
    await bobs.enter("1")
    await until(lambda: layer.members(COMMON) == 2)
    for seq in range(200):
        alices.wire.send("1", {"seq": seq})
    await until(lambda: len(bobs.heard) == 200)
    assert [event["seq"] for _, event in bobs.heard] == list(range(200))
    assert len(layer.sent) == -(-200 // wire_module.LAYER_MESSAGE_EVENTS)


async def test_what_comes_while_a_round_goes_out_has_the_next_one_after_the_pause(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    alices = process("a")
    await until(lambda: layer.members(COMMON) == 1)
    monkeypatch.setattr(wire_module, "LAYER_PAUSES", 1e9)
    monkeypatch.setattr(wire_module, "LAYER_PAUSE_SECONDS", 3600)

    async def others_go_on() -> None:
        alices.wire.send(f"{len(layer.sent) + 1}", {"seq": 1})

    monkeypatch.setattr(layer, "_answer", others_go_on)
    alices.wire.send("0", {"seq": 1})
    await until(lambda: layer.sent)
    await settled()
    assert [message["room"] for message in layer.sent] == ["0"]


async def test_many_rooms_are_told_a_few_at_a_time_with_a_pause_between(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    alices = process("a")
    await until(lambda: layer.members(COMMON) == 1)
    for room in range(3 * wire_module.LAYER_ROOMS):
        alices.wire.send(f"{room}", {"seq": 1})
    monkeypatch.setattr(wire_module, "LAYER_PAUSES", 1e9)
    monkeypatch.setattr(wire_module, "LAYER_PAUSE_SECONDS", 3600)
    await until(lambda: layer.sent)
    await settled()
    assert len(layer.sent) == wire_module.LAYER_ROOMS


async def test_the_end_of_one_event_does_not_wait_for_the_words_of_many_others(layer: Layer, process: Make) -> None:
    alices = process("a")
    await until(lambda: layer.members(COMMON) == 1)
    for room in range(10 * LAYER_ROOMS):
        alices.wire.offer(f"grows{room}", lambda: "word")
    await until(lambda: layer.sent)
    before = len(layer.sent)
    alices.wire.send("ends", {"seq": 1})
    await asyncio.wait_for(alices.wire.flushed(), 5)
    await until(lambda: len(layer.sent) == 10 * LAYER_ROOMS + 1)
    place = [message["room"] for message in layer.sent].index("ends")
    assert place <= before + LAYER_ROOMS


async def test_what_grows_is_worded_when_it_is_its_turn_and_its_end_comes_after_it(layer: Layer, process: Make) -> None:
    alices, words = process("a"), ["Pizza"]
    more = [lambda: " ".join(words), lambda: None]
    await until(lambda: layer.members(COMMON) == 1)
    for one in more:
        alices.wire.offer("1", one)
    words.append("is")
    alices.wire.offer("1", more[0])
    alices.wire.send("1", {"seq": 1})
    words.append("best")
    await until(lambda: layer.sent)
    assert [message["events"] for message in layer.sent] == [[{"frame": "Pizza is best", "grows": True}, {"seq": 1}]]
    await asyncio.wait_for(alices.wire.flushed(), 5)
    await settled()
    assert not any(task.done() for task in tasks_of(alices.wire))


async def test_while_the_layer_is_away_nothing_that_grows_is_worded_or_kept(layer: Layer, process: Make) -> None:
    asked: list[int] = []
    alices = process("a")
    layer.down = True
    alices.wire.offer("1", lambda: asked.append(1))
    await until(lambda: layer.refused)
    await until(lambda: not alices.wire._outgoing)
    assert asked == []


async def test_a_room_is_entered_once_however_often_it_is_asked_for(layer: Layer, process: Make) -> None:
    alices = process("a")
    await alices.enter("1")
    alices.wire.enter("1")
    await alices.enter("2")
    assert layer.added.count(group_of("1", OURS)) == 1
    assert alices.entered == ["1", "2"]


async def test_whatever_is_asked_meanwhile_the_layer_ends_up_as_wanted(layer: Layer, process: Make) -> None:
    alices = process("a")
    layer.stalled = True
    alices.wire.enter("1")
    alices.wire.enter("2")
    await asyncio.sleep(0.02)
    alices.wire.discard("1")
    layer.stalled = False
    await until(lambda: layer.members(group_of("2", OURS)) == 1)
    assert layer.members(group_of("1", OURS)) == 0
    alices.wire.discard("2")
    alices.wire.enter("1")
    await until(lambda: layer.members(group_of("1", OURS)) == 1)
    await until(lambda: layer.members(group_of("2", OURS)) == 0)


@pytest.mark.parametrize("fault", ["down", "stalled"])
async def test_sending_never_waits_and_groups_are_entered_once_the_layer_is_back(
    layer: Layer, process: Make, fault: str
) -> None:
    setattr(layer, fault, True)
    alices, bobs = process("a"), process("b")
    bobs.wire.enter("1")
    alices.wire.send("1", {"seq": 1})
    await asyncio.sleep(0.1)
    assert bobs.entered == []
    setattr(layer, fault, False)
    await until(lambda: bobs.entered == ["1"])
    alices.wire.send("1", {"seq": 2})
    await until(lambda: ("1", {"seq": 2}) in bobs.heard)


async def test_a_layer_that_fails_once_is_asked_again_at_once(layer: Layer, process: Make) -> None:
    alices, bobs = process("a"), process("b")
    await bobs.enter("1")
    await until(lambda: layer.members(COMMON) == 2)
    real = layer._answer

    async def fail_once() -> None:
        layer._answer = real  # type: ignore[method-assign]
        raise ConnectionError

    layer._answer = fail_once  # type: ignore[method-assign]
    alices.wire.send("1", {"seq": 1})
    await until(lambda: bobs.heard)


async def test_a_layer_that_stays_away_costs_a_bounded_amount(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "LAYER_CHARACTERS", 10 * weight({"seq": 0}))
    layer.down = True
    alices = process("a")
    for seq in range(100):
        alices.wire.send("1", {"seq": seq})
    assert sum(len(events) for _, events in alices.wire._outgoing._said.values()) == 10
    layer.down = False
    await asyncio.wait_for(alices.wire.flushed(), 30)
    alices.wire.send("1", {"seq": 100})
    await until(lambda: layer.sent and layer.sent[-1]["events"] == [{"seq": 100}])


async def test_flushed_means_that_the_layer_has_taken_it(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "LAYER_SECONDS", 5)
    alices = process("a")
    await until(lambda: layer.members(COMMON) == 1)
    may_go = asyncio.Event()
    monkeypatch.setattr(layer, "_answer", may_go.wait)
    alices.wire.send(None, {"goodbye": 1})
    flushing = asyncio.create_task(alices.wire.flushed())
    await asyncio.sleep(0.1)
    assert not flushing.done()
    may_go.set()
    await asyncio.wait_for(flushing, 30)
    assert layer.sent[-1]["events"] == [{"goodbye": 1}]


async def test_an_event_that_cannot_be_taken_does_not_make_the_process_deaf(
    layer: Layer, process: Make, caplog: pytest.LogCaptureFixture
) -> None:
    alices, bobs = process("a"), process("b")
    await bobs.enter("1")
    alices.wire.send("1", {"poison": True})
    alices.wire.send("1", {"seq": 1})
    await until(lambda: bobs.heard)
    assert "failed: an event of another process" in caplog.text


async def test_a_layer_that_cannot_be_heard_is_listened_to_again(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bobs, alices = process("b"), process("a")
    receive, failures = layer.receive, iter([OSError("reset")] * 3)

    async def failing(channel: str) -> object:
        for error in failures:
            raise error
        return await receive(channel)

    monkeypatch.setattr(layer, "receive", failing)
    await bobs.enter("1")
    alices.wire.send("1", {"seq": 1})
    await until(lambda: bobs.heard)


async def test_memberships_are_renewed_before_they_expire(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    alices = process("a")
    await alices.enter("1")
    alices.wire.renew()
    await asyncio.sleep(0.02)
    assert layer.added.count(group_of("1", OURS)) == 1
    monkeypatch.setattr(wire_module, "RENEW_SECONDS", 0)
    alices.wire.renew()
    await until(lambda: layer.added.count(group_of("1", OURS)) == 2 and layer.added.count(group_of(None, OURS)) == 2)


def test_every_group_has_a_name_that_layers_accept() -> None:
    Layer().require_valid_group_name(group_of("9" * 19, OURS))
    Layer().require_valid_group_name(COMMON)


async def test_a_message_in_another_versions_words_does_not_make_a_process_deaf(layer: Layer, process: Make) -> None:
    bobs = process("b")
    await until(lambda: layer.members(COMMON) == 1)
    await layer.group_send(COMMON, {"type": "hub.events", "of": OURS, "version": 2})
    alices = process("a")
    alices.wire.send(None, {"seq": 1})
    await until(lambda: (None, {"seq": 1}) in bobs.heard)


async def test_a_membership_is_renewed_before_the_layer_forgets_it(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bobs = process("b")
    bobs.wire.enter("1")
    await until(lambda: layer.members(group_of("1", OURS)) == 1)
    layer.groups.clear()  # as after a day
    monkeypatch.setattr(wire_module, "RENEW_SECONDS", -1)
    bobs.wire.renew()
    await until(lambda: layer.members(group_of("1", OURS)) == 1)
    assert layer.members(COMMON) == 1


# --- Neighbours ---------------------------------------------------------------------------------------


async def test_two_installations_on_one_layer_hear_nothing_of_each_other(layer: Layer, process: Make) -> None:
    alices, carols = process("a"), process("c")
    carols.installation = "theirs"
    for one in (alices, carols):
        await one.enter("1")
    for one in (carols, alices):
        for room in ("1", None):
            one.wire.send(room, {"by": one.installation})
    for one in (alices, carols):
        await until(lambda one=one: one.heard)
        assert one.heard == [(None, {"by": one.installation})]


async def test_what_comes_from_another_installation_all_the_same_is_dropped_and_counted(
    layer: Layer, process: Make
) -> None:
    bobs = process("b")
    await bobs.enter("1")
    before = metrics.foreign._value.get()
    events = [{"seq": 1}, {"seq": 2}]
    message = {"type": "hub.events", "from": "c", "room": "1", "events": events}
    await layer.group_send(group_of("1", OURS), {**message, "of": "theirs"})
    await layer.group_send(group_of("1", OURS), message)  # in the words of before there were names
    await layer.group_send(group_of("1", OURS), {**message, "of": OURS, "events": [{"seq": 3}]})
    await until(lambda: bobs.heard)
    assert bobs.heard == [("1", {"seq": 3})]
    assert metrics.foreign._value.get() - before == 4


async def test_nothing_is_sent_before_it_is_known_which_installation_this_is(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    async def away(self: Process) -> str:
        tries.append(1)
        raise OSError("the database is away")

    with monkeypatch.context() as while_away:
        while_away.setattr(Process, "identify", away)
        alices = process("a")
        alices.wire.enter("1")
        alices.wire.send("1", {"seq": 1})
        await until(lambda: len(tries) > 2)
        assert (layer.sent, layer.added) == ([], [])
        assert "the database is away" in caplog.text
    alices.wire._identify = alices.identify
    await until(lambda: layer.sent)
    assert layer.sent[0]["of"] == OURS
    assert {group.partition(".")[0] for group in layer.added} == {OURS}


async def test_a_message_says_when_its_first_event_was_published(
    layer: Layer, process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    alices, bobs, clock = process("a"), process("b"), iter([100.0, 101.5])
    await bobs.enter("1")
    for module in (outgoing_module, hearing_module):
        monkeypatch.setattr(module, "time", lambda: next(clock))
    counted, total = sum(metrics.layer_lag_seconds.counts), metrics.layer_lag_seconds.total
    alices.wire.send("1", {"seq": 1})
    alices.wire.send("1", {"seq": 2})
    await until(lambda: sum(metrics.layer_lag_seconds.counts) == counted + 1)
    assert [message["at"] for message in layer.sent] == [100.0]
    assert metrics.layer_lag_seconds.total == total + 1.5


async def test_the_version_before_says_no_time_and_is_heard(layer: Layer, process: Make) -> None:
    bobs = process("b")
    await bobs.enter("1")
    counted = sum(metrics.layer_lag_seconds.counts)
    message = {"type": "hub.events", "of": OURS, "from": "a", "room": "1", "events": [{"seq": 1}]}
    await layer.group_send(group_of("1", OURS), message)
    await until(lambda: bobs.heard)
    await settled()
    assert sum(metrics.layer_lag_seconds.counts) == counted

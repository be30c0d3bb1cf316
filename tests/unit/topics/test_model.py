"""Whatever happens in whatever order to several topics over several sockets: everybody has exactly the logs.

People join, leave, are cut off, stop reading and return; others append, change and prune from Python, in transactions
that are rolled back, too. What one process tells another is lost, doubled and reordered, and the database makes good
for it. Time passes only by a step of its own. `pytest --hypothesis-profile torture` tries many times as much.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from realtime import feed, hubs, memory, outbox, registry, repairing
from realtime import hub as hub_module
from topics import routes
from topics.delivery import resume
from topics.delivery.live import TOPICS
from topics.models import Entry
from topics.models import Log as LogModel
from topics.storing import database, logs, pruning
from unit.realtime.fakes import Layer, TurnedClock, settled

from .declared import Chat
from .model import GONE, Client, Log

NAMES = ("a", "b")
FARTHEST = 9  # events that somebody may have missed; so small that starting afresh is tried, too
SOME_NAMES = st.sampled_from(NAMES)
DATA = st.integers(0, 5)

pytestmark = pytest.mark.django_db(transaction=True)


def topic(name: str) -> str:
    return f"chat/{name}"


class Topics(RuleBasedStateMachine):
    """`told` is what the layer has to tell, and tells or does not, in any order."""

    def __init__(self) -> None:
        super().__init__()
        LogModel.objects.all().delete()
        logs._known.clear()
        self.logs = {topic(name): Log() for name in NAMES}
        self.clients = [
            Client(name, number, self.logs, FARTHEST) for number, name in enumerate(("alice", "alice", "bob"))
        ]
        self.said: list[tuple[Client, str, str, int]] = []  # who, where, the id and the data
        self.told: list[tuple[str, str, int, str]] = []
        self.ids = 0
        self.errors: list[str] = []
        self.loop = TurnedClock()
        self.loop.set_exception_handler(lambda _, context: self.errors.append(str(context)))
        self.run(self.begin())

    async def begin(self) -> None:
        self.hub = hubs.here(TOPICS)
        self.hub.publish = lambda *event: self.told.append(event)  # type: ignore[method-assign]
        for client in self.clients:
            client.dial()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        async def whole() -> None:
            await work
            await settled()
            await settled()

        self.loop.run_until_complete(whole())

    def in_python(self, work: Callable[[], Any]) -> None:
        """As a view of this process does it: so its hub is found, and what it says is told."""

        async def call() -> None:
            work()

        self.run(call())
        self.know_epochs()

    def know_epochs(self) -> None:
        for log in LogModel.objects.all():
            self.logs[log.name].epoch = log.epoch

    def new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def handle(self, name: str) -> Chat:
        return Chat(name_of_it=name)

    # --- From Python -------------------------------------------------------------------------------------

    @rule(name=SOME_NAMES, data=st.lists(DATA, min_size=1, max_size=4), heard=st.booleans())
    def somebody_appends(self, name: str, data: list[int], heard: bool) -> None:
        ids = [self.new_id() for _ in data]

        def work() -> None:
            for id, one in zip(ids, data, strict=True):
                self.logs[topic(name)].append(id, one)
                self.handle(name).append(one, id=id)

        self.in_python(work)
        while heard and self.told:
            self.tell(self.told.pop(0))

    @rule(names=st.lists(SOME_NAMES, min_size=2, max_size=4), data=DATA, good=st.booleans())
    def somebody_appends_in_one_transaction(self, names: list[str], data: int, good: bool) -> None:
        ids = [self.new_id() for _ in names]

        def work() -> None:
            with transaction.atomic():
                for name, id in zip(names, ids, strict=True):
                    self.handle(name).append(data, id=id)
                transaction.set_rollback(not good)

        for name, id in zip(names, ids, strict=True):
            if good:
                self.logs[topic(name)].append(id, data)
        self.in_python(work)

    @rule(name=SOME_NAMES, choice=st.data(), new=DATA, takes_away=st.booleans())
    def somebody_changes(self, name: str, choice: st.DataObject, new: int, takes_away: bool) -> None:
        log, handle = self.logs[topic(name)], self.handle(name)
        if not (there := log.can_be_changed()):
            return
        about = choice.draw(st.sampled_from(there))
        log.change(about, GONE if takes_away else new)
        self.in_python(lambda: handle.retract(about) if takes_away else handle.amend(about, new))

    @precondition(lambda self: any(log.seq for log in self.logs.values()))
    @rule(name=SOME_NAMES, choice=st.data())
    def what_is_old_is_pruned(self, name: str, choice: st.DataObject) -> None:
        log = self.logs[topic(name)]
        pruned = choice.draw(st.integers(log.pruned, log.seq))
        old = timezone.now() - timedelta(days=2)
        Entry.objects.filter(log__name=topic(name), seq__lte=pruned).update(at=old)
        for one in LogModel.objects.filter(name=topic(name)):
            pruning.prune(one, timedelta(days=1))
        log.pruned = pruned

    def tell(self, told: tuple[str, str, int, str]) -> None:
        room, epoch, seq, frame = told

        async def receive() -> None:
            self.hub._receive(room, {"epoch": epoch, "seq": seq, "frame": frame})

        self.run(receive())

    # --- From sockets ------------------------------------------------------------------------------------

    @rule(number=st.integers(0, 2), name=SOME_NAMES, data=DATA)
    def somebody_sends(self, number: int, name: str, data: int) -> None:
        client, id = self.clients[number], self.new_id()
        if client.connected:
            self.logs[topic(name)].append(id, data)
            self.said.append((client, topic(name), id, data))
            self.say(client, topic(name), id, data)

    @precondition(lambda self: self.said)
    @rule(choice=st.data())
    def somebody_sends_again(self, choice: st.DataObject) -> None:
        client, name, id, data = choice.draw(st.sampled_from(self.said))
        if client.connected and self.logs[name].ids.index(id) >= self.logs[name].pruned:
            self.say(client, name, id, data)

    def say(self, client: Client, name: str, id: str, data: int) -> None:
        async def send() -> None:
            client.says(type="send", topic=name, id=id, data=data)

        self.run(send())
        self.know_epochs()

    @rule(number=st.integers(0, 2), name=SOME_NAMES)
    def somebody_joins(self, number: int, name: str) -> None:
        client = self.clients[number]

        async def join() -> None:
            if client.listens:
                client.join(topic(name))

        self.run(join())

    @rule(number=st.integers(0, 2), name=SOME_NAMES)
    def somebody_leaves(self, number: int, name: str) -> None:
        client = self.clients[number]

        async def leave() -> None:
            if client.listens and client.copies.pop(topic(name), None):
                client.says(type="leave", topic=topic(name))

        self.run(leave())

    @rule(number=st.integers(0, 2))
    def somebody_is_cut_off(self, number: int) -> None:
        async def cut() -> None:
            if self.clients[number].connected:
                self.clients[number].cut()

        self.run(cut())

    @rule(number=st.integers(0, 2))
    def somebody_returns(self, number: int) -> None:
        async def dial() -> None:
            if not self.clients[number].connected:
                self.clients[number].dial()

        self.run(dial())

    @rule(number=st.integers(0, 2))
    def somebody_stops_reading(self, number: int) -> None:
        if self.clients[number].connected:
            self.clients[number].reads.clear()

    @rule(number=st.integers(0, 2))
    def somebody_reads_on(self, number: int) -> None:
        async def read() -> None:
            self.clients[number].reads.set()

        self.run(read())

    # --- Between the processes -----------------------------------------------------------------------------

    @precondition(lambda self: self.told)
    @rule(choice=st.data(), and_again=st.booleans())
    def the_layer_tells(self, choice: st.DataObject, and_again: bool) -> None:
        place = choice.draw(st.integers(0, len(self.told) - 1))
        self.tell(self.told[place] if and_again else self.told.pop(place))

    @precondition(lambda self: self.told)
    @rule()
    def the_layer_loses_everything(self) -> None:
        self.told.clear()

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.5, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.loop.now += seconds
        self.run(settled())

    # --- What must hold ------------------------------------------------------------------------------------

    @invariant()
    def nobody_hears_anything_but_what_follows(self) -> None:
        assert [complaint for client in self.clients for complaint in client.complaints] == []

    @invariant()
    def nothing_goes_wrong_unseen(self) -> None:
        assert self.errors == []

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            for client in self.clients:
                for name in client.copies:
                    assert client.has_everything(name), (client.name, client.copies[name], self.logs[name])
                for id, seq in client.acked.items():
                    assert seq
                    assert id == next(self.logs[name].ids[seq - 1] for one, name, said, _ in self.said if said == id)
            for name in NAMES:
                self.the_log_holds_exactly(name)
        finally:
            self.run(self.end())
            self.loop.close()

    def come_to_rest(self) -> None:
        """The layer is silent from here on; everybody reads, and comes back who was put out."""

        async def read() -> None:
            for client in self.clients:
                client.reads.set()
                if not client.connected:
                    client.dial()

        async def join_again() -> None:
            for client in self.clients:
                client.join_again_where_something_was_missed()

        self.told.clear()
        for _ in range(12):
            self.run(read())
            self.run(join_again())  # not before what was under way has come: it is of the time before
            self.time_passes(2.5)
            self.time_passes(0.5)
        self.nobody_hears_anything_but_what_follows()
        self.nothing_goes_wrong_unseen()

    def the_log_holds_exactly(self, name: str) -> None:
        log, events = self.logs[topic(name)], self.handle(name).events()
        kept = range(log.pruned + 1, log.seq + 1)
        assert [event.seq for event in events] == list(kept)
        for event in events:
            last = log.shown.get(event.about or event.seq, [None])[-1]
            if event.about is None or event.about > log.pruned:
                assert (GONE if event.retracted else event.data) == last
            assert event.about == log.changes.get(event.seq)

    async def end(self) -> None:
        for client in self.clients:
            if client.connected:
                client.cut()
        await settled()
        await registry.here().close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@pytest.mark.timeout(3_600)
def test_everybody_has_exactly_the_logs(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.MESSAGE_RATE = settings.MESSAGE_BURST = 10_000
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(connections, "_connections", SimpleNamespace(default=connections["default"]))
    monkeypatch.setattr(database, "run", inline)
    monkeypatch.setattr(hub_module, "get_channel_layer", Layer)
    monkeypatch.setattr(routes, "classes", [Chat])
    monkeypatch.setattr(resume, "FARTHEST", FARTHEST)
    monkeypatch.setattr(resume, "LATEST", 2)
    monkeypatch.setattr(memory, "MEMORY_EVENTS", 3)
    monkeypatch.setattr(feed, "REPLAY_EVENTS", 4)
    monkeypatch.setattr(repairing, "REPLAY_EVENTS", 4)
    monkeypatch.setattr(feed, "REPLAY_LEAST_EVENTS", 2)
    monkeypatch.setattr(outbox, "OUTBOX_BYTES", 400)
    run_state_machine_as_test(Topics, settings=OFTEN)


OFTEN = settings(stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


async def inline(executor: Any, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Database work in this thread, whose connection all share."""
    await asyncio.sleep(0)
    return work(*args, **kwargs)

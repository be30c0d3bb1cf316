"""What a message and a socket cost, counted: a lost order of magnitude shows here, however busy the machine is."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from realtime import bundle, drain
from realtime import hub as hub_module
from realtime.consumer import SocketConsumer
from realtime.contract import Changed, Numbered
from realtime.hub import Hub
from realtime.outbox import WRITE
from unit.realtime.fakes import Layer, Permissive, settled, until

MEMBERS = 100


class Rooms(Permissive):
    """Nothing is stored."""

    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        return []

    async def changed(self, seconds: float) -> list[Changed]:
        return []

    def seq_frame(self, room: str, seq: int, epoch: str) -> str:
        return "seq"

    def presence_frame(
        self, room: str, joined: list[dict[str, Any]], left: list[dict[str, Any]], member_count: int
    ) -> str:
        return "presence"


class Server:
    """Takes everything at once, and counts."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.sent: list[str] = []

    def write(self, frames: bytes) -> bool:
        self.writes.append(frames)
        return True

    async def send(self, event: dict[str, Any]) -> None:
        self.sent.append(event["type"])


class Member(SocketConsumer):
    subprotocols = ("batch",)
    batch_subprotocols = frozenset({"batch"})
    hub: Hub

    async def opened(self) -> None:
        self.key = str(id(self))
        self.feed = self.hub.join("1", self, {"name": self.key, "guest": True}, epoch="epoch", position=0)

    def ended(self) -> None:
        self.hub.leave(self.feed, self)


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(drain, "sockets", set())
    return layer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def hub(layer: Layer, server: Server) -> AsyncIterator[Hub]:
    """A room with many members on one server; half of them take arrays."""
    Member.hub = hub = Hub(Rooms())
    inboxes: list[asyncio.Queue[dict[str, Any]]] = [asyncio.Queue() for _ in range(MEMBERS)]
    tasks = []
    for number, inbox in enumerate(inboxes):
        inbox.put_nowait({"type": "websocket.connect"})
        scope = {"subprotocols": ["batch"] * (number % 2), "extensions": {WRITE: server.write}}
        tasks.append(asyncio.create_task(Member.as_asgi()(scope, inbox.get, server.send)))
    await until(lambda: len(hub.feeds["1"].live) == MEMBERS if hub.feeds else False)
    await until(lambda: server.writes)  # everybody knows who is there
    server.writes.clear()
    layer.sent.clear()
    yield hub
    for inbox in inboxes:
        inbox.put_nowait({"type": "websocket.disconnect"})
    await asyncio.wait(tasks)
    await hub.close()


def events(layer: Layer) -> list[list[dict[str, Any]]]:
    """What the room's group was told, message by message, beside who is there."""
    told = [[event for event in message["events"] if "frame" in event] for message in layer.sent]
    return [some for some in told if some]


async def test_a_message_is_one_write_a_socket_one_framing_a_form_and_one_message_of_the_layer(
    hub: Hub, layer: Layer, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    framed: list[bytes] = []
    real = bundle.framed
    monkeypatch.setattr(bundle, "framed", lambda payload: framed.append(payload) or real(payload))
    hub.publish("1", "epoch", 1, "hello")
    await settled()
    assert len(server.writes) == MEMBERS
    assert sorted(framed) == [b"[hello]", b"hello"]
    assert len({id(frames) for frames in server.writes}) == 2
    await until(lambda: events(layer))
    assert [len(some) for some in events(layer)] == [1]


async def test_what_is_said_together_is_written_together_and_told_together(
    hub: Hub, layer: Layer, server: Server
) -> None:
    for seq in range(1, 41):
        hub.publish("1", "epoch", seq, f"message {seq}")
    await settled()
    assert len(server.writes) == MEMBERS
    await until(lambda: events(layer))
    assert [len(some) for some in events(layer)] == [40]


async def test_what_is_said_leaves_nothing_for_the_garbage_collector(hub: Hub, layer: Layer, server: Server) -> None:
    gc.collect()
    gc.disable()
    try:
        for seq in range(1, 41):
            hub.publish("1", "epoch", seq, f"message {seq}")
        await until(lambda: events(layer))
        assert gc.collect() < 40
    finally:
        gc.enable()


async def test_what_may_get_lost_costs_no_more(hub: Hub, layer: Layer, server: Server) -> None:
    for _ in range(40):
        hub.mention("1", "somebody types", by="")
    await settled()
    assert len(server.writes) == MEMBERS
    await until(lambda: events(layer))
    assert [len(some) for some in events(layer)] == [40]


async def test_a_socket_is_one_task_and_a_message_to_it_none(hub: Hub, server: Server) -> None:
    at_rest = len(asyncio.all_tasks())
    assert at_rest <= MEMBERS + len(hub._tasks) + 4  # the wire's two, the layer's, and this test
    hub.publish("1", "epoch", 1, "hello")
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= at_rest + 1  # what tells the layer
    assert server.sent == ["websocket.accept"] * MEMBERS

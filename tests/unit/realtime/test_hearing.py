"""A process that hears nothing any more, though its server takes what it says: it starts anew, and hears again."""

import asyncio
from typing import Any

import pytest

from realtime import wire as wire_module
from realtime.lean import RedisPubSubChannelLayer
from realtime.wire import Wire

SECONDS = 30


class Hanging(RedisPubSubChannelLayer):  # type: ignore[misc]
    """Brings what was sent to a channel until it hangs, which nothing but a new beginning ends."""

    def __init__(self) -> None:
        super().__init__(hosts=[])
        self.queues: dict[str, asyncio.Queue[Any]] = {}
        self.groups: list[str] = []
        self.hangs, self.flushed = False, 0

    async def new_channel(self, prefix: str = "") -> str:
        name = f"channel {len(self.queues)}"
        self.queues[name] = asyncio.Queue()
        return name

    async def receive(self, channel: str) -> Any:
        return await self.queues[channel].get()

    async def send(self, channel: str, message: Any) -> None:
        if not self.hangs:
            self.queues[channel].put_nowait(message)

    async def group_add(self, group: str, channel: str) -> None:
        self.groups.append(group)

    async def group_discard(self, group: str, channel: str) -> None:
        pass

    async def flush(self) -> None:
        self.hangs = False
        self.flushed += 1


async def identity() -> str:
    return "here"


@pytest.mark.parametrize("hangs", [True, False])
async def test_who_does_not_hear_itself_enters_its_rooms_anew(monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    monkeypatch.setattr(wire_module, "ECHO_SECONDS", 0.02)
    monkeypatch.setattr(wire_module, "LAYER_RETRY_SECONDS", 0.01)
    layer, entered = Hanging(), []
    wire = Wire(layer, "process", identity, lambda room, event: None, entered.append)
    wire.enter("lobby")
    echoes = 0
    async with asyncio.timeout(SECONDS):
        while not entered:
            await asyncio.sleep(0.005)
        layer.hangs = hangs
        while echoes < 20 and not layer.flushed:
            wire.renew()
            echoes += 1
            await asyncio.sleep(0.03)
        while hangs and entered != ["lobby", "lobby"]:
            await asyncio.sleep(0.005)
    assert bool(layer.flushed) == hangs, "and who hears itself is left in peace"
    assert layer.groups.count("here.room.lobby") == 1 + hangs
    await wire.close()

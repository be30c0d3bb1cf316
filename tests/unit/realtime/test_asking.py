"""Who is in a room in which this process has no socket: carol asks for where alice and bob are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from realtime import asking
from realtime import hub as hub_module
from realtime.asking import Here, Unheard
from realtime.hub import Hub
from realtime.layers import group_of
from unit.realtime.fakes import OURS, Layer, Permissive, Socket, tasks_of, until

pytestmark = pytest.mark.usefixtures("hurried")

Make = Callable[[], Hub]


class Nothing(Permissive):
    async def read(self, room: str, after: int, limit: int) -> list[Any]:
        return []

    async def changed(self, seconds: float) -> list[Any]:
        return []

    def seq_frame(self, room: str, seq: int, epoch: str) -> str:
        return "seq"

    def presence_frame(self, *about: Any) -> str:
        return "presence"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "KNOWN_SECONDS", 0.2)
    monkeypatch.setattr(hub_module, "TICK_SECONDS", 0.01)


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> Layer:
    layer = Layer()
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    return layer


@pytest.fixture
async def process(layer: Layer) -> AsyncIterator[Make]:
    made: list[Hub] = []

    def make() -> Hub:
        made.append(Hub(Nothing()))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for hub in made:
        for feed in hub.feeds.values():
            feed.close()
        tasks = [*hub._tasks, *tasks_of(hub._wire)]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def enter(hub: Hub, name: str, room: str = "1") -> None:
    hub.join(room, Socket(name), {"name": name}, epoch="", position=0)


async def asked(hub: Hub, room: str = "1", limit: int = 10) -> tuple[set[str], int]:
    people, total = await hub.members(room, limit)
    return {person["name"] for person in people.values()}, total


async def know_each_other(*hubs: Hub) -> None:
    await until(lambda: all(len(hub.presence.processes()) == len(hubs) - 1 for hub in hubs))
    await until(lambda: all(hub.loop.time() - hub._asking._began > asking.KNOWN_SECONDS for hub in hubs))


async def test_everybody_in_a_room_is_known_to_a_process_without_a_socket_there(process: Make) -> None:
    alices, bobs, carols = process(), process(), process()
    enter(alices, "alice")
    enter(alices, "alice")
    enter(bobs, "bob")
    await know_each_other(alices, bobs, carols)
    await until(lambda: len(alices.presence.people("1", 9)[0]) == 2)
    for hub in (alices, bobs, carols):
        assert await asked(hub) == ({"alice", "bob"}, 2)
    assert (await asked(carols, limit=1))[1] == 2
    assert len((await asked(carols, limit=1))[0]) == 1


async def test_an_empty_room_is_known_to_be_empty_without_a_wait(
    process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hubs = process(), process()
    await know_each_other(*hubs)
    monkeypatch.setattr(asking, "ASK_SECONDS", 3600)
    assert await asyncio.wait_for(asked(hubs[0]), 30) == (set(), 0)


async def test_a_process_that_has_just_begun_knows_whoever_came_first(
    process: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot know that there is nobody else, so it waits for as long as it is willing to."""
    monkeypatch.setattr(asking, "KNOWN_SECONDS", 3600)
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.3)
    alices, carols = process(), process()
    enter(alices, "alice")
    assert await asked(carols) == ({"alice"}, 1)
    assert await asked(alices) == ({"alice"}, 1)
    assert await asked(carols, room="2") == (set(), 0)


async def test_a_process_that_has_died_does_not_hide_the_others(process: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.3)
    alices, bobs, carols = process(), process(), process()
    enter(alices, "alice")
    await know_each_other(alices, bobs, carols)
    for task in [*bobs._tasks, *tasks_of(bobs._wire)]:
        task.cancel()
    assert await asked(carols) == ({"alice"}, 1)
    assert await asked(carols, room="2") == (set(), 0)


@pytest.mark.parametrize("trouble", ["down", "stalled", "lossy"])
async def test_where_nobody_can_be_asked_that_is_said(
    layer: Layer, process: Make, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ASK_SECONDS", 0.3)
    alices, carols = process(), process()
    enter(alices, "alice")
    await know_each_other(alices, carols)
    await until(lambda: layer.members(group_of("1", OURS)) == 1)
    setattr(layer, trouble, True)
    with pytest.raises(Unheard):
        await carols.members("1", 10)
    assert carols._asking._open == {}
    assert await asked(alices) == ({"alice"}, 1), "what this process knows needs no layer"


async def test_an_answer_that_comes_too_late_or_twice_is_dropped(process: Make) -> None:
    hub = process()
    here: Here = {}, 0
    hub._asking.receive({"members": "!", "question": "gone", "process": "x", "here": [*here, True]})
    await know_each_other(hub)
    assert await asked(hub) == (set(), 0)

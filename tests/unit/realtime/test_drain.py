"""How a process says goodbye."""

import asyncio
from collections.abc import Iterator

import pytest

from realtime import drain, registry
from realtime.closing import Goodbye


@pytest.fixture(autouse=True)
def a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(drain, "_draining", False)
    others = drain.sockets.copy()
    drain.sockets.clear()
    yield
    drain.sockets.clear()
    drain.sockets.update(others)


class Member:
    """Leaves when it is told to, unless it is deaf."""

    def __init__(self, deaf: bool = False) -> None:
        self.deaf = deaf
        self.told: list[Goodbye] = []
        self.told_at = 0.0
        drain.sockets.add(self)

    def close_with(self, goodbye: Goodbye) -> None:
        self.told.append(goodbye)
        self.told_at = asyncio.get_running_loop().time()
        if not self.deaf:
            drain.sockets.discard(self)


async def test_everybody_is_told_once_to_come_back() -> None:
    members = [Member() for _ in range(30)]
    await drain.drain(5)
    assert drain.draining()
    assert not drain.sockets
    assert [len(member.told) for member in members] == [1] * 30
    assert {(member.told[0].code, member.told[0].reason) for member in members} == {(4501, "restart")}


async def test_few_are_done_long_before_the_window_ends() -> None:
    began = asyncio.get_running_loop().time()
    for _ in range(3):
        Member()
    await drain.drain(30)
    assert asyncio.get_running_loop().time() - began < 5


async def test_goodbyes_and_returns_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "CLOSES_PER_SECOND", 250)
    members = [Member() for _ in range(200)]
    await drain.drain(30)
    moments = sorted(member.told_at for member in members)
    assert moments[-1] - moments[0] > 0.4
    assert moments[100] - moments[0] > 0.1
    assert len({member.told[0].after_ms for member in members}) > 50


async def test_the_more_there_are_the_longer_they_stay_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "CLOSES_PER_SECOND", 4_000)
    crowd = [Member() for _ in range(2_000)]
    await drain.drain(30)
    assert 2_000 < max(member.told[0].after_ms or 0 for member in crowd) < 5_000


async def test_whoever_is_awaited_already_is_told_to_return_at_once() -> None:
    crowd = [Member() for _ in range(50)]
    await drain.drain(30, after_ms=0)
    assert {member.told[0].after_ms for member in crowd} == {0}


async def test_who_does_not_leave_is_left_behind() -> None:
    bob = Member(deaf=True)
    began = asyncio.get_running_loop().time()
    await drain.drain(1)
    assert asyncio.get_running_loop().time() - began >= 1
    assert len(bob.told) == 1


async def test_who_comes_in_the_middle_is_told_too() -> None:
    bob = Member(deaf=True)
    draining = asyncio.create_task(drain.drain(5))
    while not bob.told:
        await asyncio.sleep(0.01)
    carol = Member()
    drain.sockets.discard(bob)
    await draining
    assert len(carol.told) == 1


async def test_a_socket_that_cannot_be_told_does_not_keep_the_others(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Member):
        def close_with(self, goodbye: Goodbye) -> None:
            raise ArithmeticError

    Broken()
    alice = Member()
    await drain.drain(1)
    assert len(alice.told) == 1
    assert "failed: a goodbye" in caplog.text


async def test_what_was_accepted_is_stored_after_the_last_socket_has_gone() -> None:
    found: list[int] = []

    class Store:
        async def finish(self) -> None:
            found.append(len(drain.sockets))

        async def close(self) -> None:
            raise AssertionError("the server still works")

    registry.here().get(Store, Store)
    Member()
    await drain.drain(5)
    assert found == [0]

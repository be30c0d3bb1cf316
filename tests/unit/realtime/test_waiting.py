"""What waits in the whole process: alice reads, the others do not, and too much of it is too much."""

import asyncio
from collections.abc import Iterator

import pytest

from realtime import feed as feed_module
from realtime import metrics, waiting
from realtime import outbox as outbox_module
from realtime.bundle import Bundle
from realtime.feed import Feed, Numbered
from realtime.outbox import Outbox
from realtime.waiting import held, relieve
from unit.realtime.fakes import Log, Socket, settled, until
from unit.realtime.test_outbox import Network

FRAME = Bundle.of("x" * 1_000)
BUDGET, TIGHT = 10_000, 5_000


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(held, "used", 0)
    monkeypatch.setattr(waiting, "holders", holders := set())
    monkeypatch.setattr(outbox_module, "holders", holders)
    for module in (waiting, outbox_module):
        monkeypatch.setattr(module, "WAITING_BYTES", BUDGET)
        monkeypatch.setattr(module, "TIGHT_BYTES", TIGHT)
    monkeypatch.setattr(waiting, "STUCK_SECONDS", 0.05)
    yield
    assert held.used == 0, "something is counted that no longer waits"
    assert holders == set()


@pytest.fixture
def network() -> Network:
    return Network(stalled=True)


async def stuck(network: Network, frames: int) -> Outbox:
    """Somebody for whom so many frames of a thousand bytes wait."""
    outbox = Outbox(network.send)
    for _ in range(frames):
        assert outbox.hand(FRAME)
        await settled()
    return outbox


async def test_what_waits_is_counted_until_it_is_taken(network: Network) -> None:
    bob, carol = await stuck(network, 2), await stuck(network, 3)
    assert held.used == bob.waiting + carol.waiting == 5_000
    await network.recover()
    assert held.used == bob.waiting + carol.waiting == 0


@pytest.mark.parametrize("end", ["abandon", "cut"])
async def test_what_waits_for_one_who_has_gone_is_not_counted(network: Network, end: str) -> None:
    carol = await stuck(network, 4)
    carol.abandon() if end == "abandon" else carol.cut(4508)
    await settled()
    assert held.used == 0
    await network.recover()


async def test_one_who_cannot_be_sent_to_is_not_counted(network: Network) -> None:
    carol = await stuck(network, 4)
    network.error = ValueError("nobody expected this")
    await network.recover()
    assert carol.lost
    assert held.used == 0


async def test_above_the_budget_who_is_behind_gets_no_more_and_who_reads_does(network: Network) -> None:
    crowd = [await stuck(network, 2) for _ in range(5)]
    assert held.used == BUDGET
    assert not crowd[0].hand(FRAME)
    alice = Outbox(Network().send)
    assert alice.hand(FRAME)
    await settled()
    assert alice.waiting == 0
    newcomer = Outbox(network.send)
    assert newcomer.hand(FRAME), "one bundle has room whatever the others hold"
    await settled()
    assert not newcomer.hand(FRAME)
    await network.recover()


async def test_long_before_that_nothing_that_may_get_lost_waits(network: Network) -> None:
    crowd = [await stuck(network, 2) for _ in range(3)]
    dropped = metrics.outbox_dropped._value.get()
    crowd[0].offer(FRAME)
    assert crowd[0].waiting == 2_000
    assert metrics.outbox_dropped._value.get() == dropped + 1
    await network.recover()


async def test_when_it_gets_tight_who_has_not_moved_for_the_longest_time_is_closed(network: Network) -> None:
    fastest = Network(stalled=True)
    first, second, third, alice = [await stuck(each, 2) for each in (network, network, network, fastest)]
    await asyncio.sleep(0.06)  # it is time that is tested
    await fastest.let_one_through()
    relieve()
    assert [outbox.closing for outbox in (first, second, third, alice)] == [True, False, False, False]
    assert held.used <= TIGHT
    await network.recover()
    await fastest.recover()


async def test_who_has_moved_lately_is_not_closed_before_the_budget_is_spent(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "STUCK_SECONDS", 60)
    crowd = [await stuck(network, 2) for _ in range(4)]
    relieve()
    assert not any(outbox.closing for outbox in crowd)
    crowd += [await stuck(network, 2), await stuck(network, 1)]
    relieve()
    assert held.used <= TIGHT
    assert [outbox.closing for outbox in crowd] == [True] * 3 + [False] * 3
    await network.recover()


async def test_as_long_as_there_is_room_nobody_is_closed(network: Network) -> None:
    bob = await stuck(network, 5)
    await asyncio.sleep(0.06)
    relieve()
    assert not bob.closing
    await network.recover()


# --- Replays ---------------------------------------------------------------------------------------


class Long(Log):
    """Three frames of it fill a bundle."""

    def after(self, position: int, limit: int = 1_000) -> list[Numbered]:
        return [Numbered(seq, "x" * 20_000) for seq in self.seqs if seq > position][:limit]


class Unread(Socket):
    """Has room for much, and takes nothing before it is told to."""

    @property
    def keeps_up(self) -> bool:
        return not self._waiting

    async def emptied(self) -> None:
        while self._waiting:
            self._emptied.clear()
            await self._emptied.wait()


async def test_a_replay_hands_over_a_bundle_and_goes_on_when_it_is_taken() -> None:
    log = Long(100)
    feed = Feed("1", "epoch", 100, log.read)
    carol = Unread("carol")
    feed.follow(carol, 0)
    for heard in (3, 6, 9):
        await until(lambda heard=heard: len(carol.heard) == heard)
        await settled()
        assert len(carol.heard) == heard
        carol.read()
    assert log.reads == [0, 3, 6]
    feed.leave(carol)
    feed.close()


async def test_pages_for_who_takes_little_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "REPLAY_LEAST_EVENTS", 4)
    limits_asked: list[int] = []
    log = Long(100)

    async def read(room: str, after: int, limit: int) -> list[Numbered]:
        limits_asked.append(limit)
        return log.after(after, limit)

    feed = Feed("1", "epoch", 100, read)
    carol = Unread("carol")
    feed.follow(carol, 0)
    for heard in (3, 6):
        await until(lambda heard=heard: len(carol.heard) == heard)
        carol.read()
    await until(lambda: len(limits_asked) == 3)
    assert limits_asked == [4, 6, 6]
    feed.leave(carol)
    feed.close()


async def test_only_so_many_pages_are_read_at_once() -> None:
    log = Log(100)
    log.hold()
    feed = Feed("1", "epoch", 100, log.read, asyncio.Semaphore(3))
    crowd = [Socket(str(number)) for number in range(10)]
    for number, socket in enumerate(crowd):
        feed.follow(socket, number)
    await settled()
    assert len(log.reads) == 3
    await log.answer()
    assert len(log.reads) == 4
    await log.answer_everybody()
    await until(lambda: len(feed.live) == 10)
    feed.close()

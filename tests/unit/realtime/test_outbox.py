"""What one socket is sent, and what waits for it: alice reads, bob's network is slow, carol has gone."""

import asyncio
import gc
import inspect
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from realtime import outbox as outbox_module
from realtime.bundle import Bundle
from realtime.eager import start
from realtime.limits import EPHEMERAL_BYTES, MAX_FRAME_BYTES, OUTBOX_BYTES
from realtime.outbox import Outbox, TooSlow
from unit.realtime.fakes import settled


class Network:
    """Takes frames; while it is stalled, each `send` waits until somebody lets one through."""

    def __init__(self, stalled: bool = False) -> None:
        self.sent: list[dict[str, Any]] = []
        self.stalled = stalled
        self.error: Exception | None = None
        self._waiting: list[asyncio.Future[None]] = []

    async def send(self, event: dict[str, Any]) -> None:
        if self.stalled:
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]
        if self.error:
            raise self.error
        self.sent.append(event)

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.sent if event["type"] == "websocket.send"]

    @property
    def closed_with(self) -> list[int]:
        return [event["code"] for event in self.sent if event["type"] == "websocket.close"]

    async def let_one_through(self) -> None:
        self._waiting.pop(0).set_result(None)
        await settled()

    async def recover(self) -> None:
        self.stalled = False
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        await settled()


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """No task, no exception that nobody saw, no coroutine that nobody awaited."""
    unseen: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    yield
    await settled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect(1)
    assert unseen == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def stalled() -> Network:
    return Network(stalled=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    monkeypatch.setattr(outbox_module, "SLOW_SECONDS", 0.05)
    return 0.05


# --- Sending ---------------------------------------------------------------------------------------


async def test_what_the_socket_takes_is_sent_in_this_turn_of_the_loop_and_without_a_task(network: Network) -> None:
    alice = Outbox(network.send)
    tasks = len(asyncio.all_tasks())
    assert alice.put("a")
    alice.offer(Bundle.of("b"))
    await settled()
    assert network.texts == ["a", "b"]
    assert alice.waiting == 0
    assert len(asyncio.all_tasks()) == tasks


async def test_what_has_to_wait_leaves_in_order_by_one_task(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    tasks = len(asyncio.all_tasks())
    for frame in "abcde":
        bob.put(frame)
    await settled()
    assert stalled.sent == []
    assert len(asyncio.all_tasks()) == tasks + 1
    await stalled.let_one_through()
    assert (stalled.texts, bob.waiting) == (["a"], 4)
    bob.put("f")
    await stalled.recover()
    assert stalled.texts == list("abcdef")
    assert bob.waiting == 0


async def test_a_network_that_recovers_is_written_to_at_once_again(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    bob.put("a")
    await stalled.recover()
    bob.put("b")
    await settled()
    assert stalled.texts == ["a", "b"]


# --- Where the server takes bytes ------------------------------------------------------------------


class Server(Network):
    """Takes what fits into its buffer as bytes, while it has not `full`."""

    def __init__(self, full: bool = False) -> None:
        super().__init__(stalled=full)
        self.written: list[bytes] = []

    def write(self, frames: bytes) -> bool:
        if self.stalled or self.error:
            return False
        self.written.append(frames)
        return True

    def outbox(self, batch: bool = False) -> Outbox:
        return Outbox(self.send, self.write, batch=batch)


async def test_what_goes_to_many_is_written_here_and_now() -> None:
    server = Server()
    alice, bob = server.outbox(), server.outbox(batch=True)
    bundle = Bundle([b"1", b"2"])
    assert alice.hand(bundle)
    assert bob.hand(bundle)
    alice.offer(bundle)
    assert server.written == [b"\x81\x011\x81\x012", b"\x81\x05[1,2]", b"\x81\x011\x81\x012"]
    assert alice.waiting == bob.waiting == 0
    assert server.sent == []


async def test_a_bundle_is_framed_once_for_all_who_take_the_same() -> None:
    server = Server()
    bundle = Bundle([b"1"])
    for _ in range(3):
        server.outbox().hand(bundle)
    assert len({id(frames) for frames in server.written}) == 1


async def test_answers_of_one_turn_of_the_loop_leave_as_one_write() -> None:
    server = Server()
    alice = server.outbox()
    for answer in "abc":
        assert alice.put(answer)
    assert server.written == []
    await settled()
    assert server.written == [b"\x81\x01a\x81\x01b\x81\x01c"]
    assert alice.waiting == 0


async def test_what_goes_to_many_does_not_overtake_an_answer() -> None:
    server = Server()
    alice = server.outbox(batch=True)
    alice.put("1")
    assert alice.hand(Bundle([b"2"]))
    alice.offer(Bundle([b"3"]))
    await settled()
    assert server.written == [b"\x81\x07[1,2,3]"]


async def test_a_full_server_is_waited_for_by_one_task_and_then_takes_bytes_again() -> None:
    server = Server(full=True)
    bob = server.outbox()
    tasks = len(asyncio.all_tasks())
    for number in range(5):
        assert bob.hand(Bundle([b"%d" % number]))
    await settled()
    assert len(asyncio.all_tasks()) == tasks + 1
    assert (bob.waiting, server.sent, server.written) == (5, [], [])
    await server.recover()
    assert (bob.waiting, server.texts, server.written) == (0, list("01234"), [])
    assert bob.hand(Bundle([b"5"]))
    assert server.written == [b"\x81\x015"]


async def test_a_goodbye_comes_behind_what_was_written() -> None:
    server = Server()
    alice = server.outbox()
    alice.hand(Bundle([b"a"]))
    alice.put("b")
    alice.close(4501, "c")
    assert alice.hand(Bundle([b"too late"]))
    await settled()
    assert server.written == [b"\x81\x01a", b"\x81\x01b\x81\x01c"]
    assert server.closed_with == [4501]


# --- Bounds ----------------------------------------------------------------------------------------


async def test_a_full_outbox_takes_no_more_and_forgets_nothing(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    quarter = "x" * (OUTBOX_BYTES // 4)
    assert [bob.put(quarter) for _ in range(6)] == [True] * 4 + [False] * 2
    assert bob.waiting <= OUTBOX_BYTES
    await stalled.recover()
    assert stalled.texts == [quarter] * 4
    assert bob.put(quarter)


async def test_whatever_its_size_one_frame_fits_into_an_empty_outbox(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    assert bob.put("x" * (OUTBOX_BYTES + 1))
    assert not bob.put("y")
    assert bob.put("ack", always=True)
    await stalled.recover()
    assert stalled.texts[1:] == ["ack"]


async def test_who_is_behind_loses_what_may_get_lost_first(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    bob.put("x" * EPHEMERAL_BYTES)
    bob.offer(Bundle.of("alice types"))
    bob.put("message")
    bob.offer(Bundle.of("carol types"))
    assert bob.put("message")
    await stalled.recover()
    assert stalled.texts[1:] == ["alice types", "message", "message"]


# --- Waiting for a slow socket ---------------------------------------------------------------------


async def test_an_empty_outbox_is_not_waited_for(network: Network) -> None:
    alice = Outbox(network.send)
    await asyncio.wait_for(alice.emptied(), 30)


async def test_who_waits_is_told_when_everything_has_left(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    bob.put("a")
    bob.put("b")
    waiting = [asyncio.create_task(bob.emptied()) for _ in range(2)]
    await settled()
    await stalled.let_one_through()
    assert not any(task.done() for task in waiting)
    await stalled.recover()
    assert all(task.done() for task in waiting)


async def test_a_socket_that_takes_nothing_for_too_long_is_too_slow(stalled: Network, impatient: float) -> None:
    bob = Outbox(stalled.send)
    bob.put("a")
    began = asyncio.get_running_loop().time()
    with pytest.raises(TooSlow):
        await bob.emptied()
    assert asyncio.get_running_loop().time() - began >= impatient * 0.9
    bob.abandon()


async def test_a_socket_that_takes_little_but_takes_is_not_too_slow(
    stalled: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "SLOW_SECONDS", patience := 2)
    bob = Outbox(stalled.send)
    for frame in "abcd":
        bob.put(frame)
    waiting = asyncio.create_task(bob.emptied())
    for _ in range(4):
        await asyncio.sleep(patience * 0.3)
        await stalled.let_one_through()
    await waiting


# --- Closing ---------------------------------------------------------------------------------------


async def test_a_goodbye_comes_last_and_then_the_close_at_once(network: Network) -> None:
    alice = Outbox(network.send)
    alice.put("a")
    alice.close(4501, "goodbye")
    await settled()
    assert network.texts == ["a", "goodbye"]
    assert network.closed_with == [4501]
    assert network.sent[-1] == {"type": "websocket.close", "code": 4501}


async def test_a_close_without_a_word_is_only_a_close(network: Network) -> None:
    alice = Outbox(network.send)
    alice.close(4404)
    await settled()
    assert network.sent == [{"type": "websocket.close", "code": 4404}]


async def test_what_waits_arrives_before_the_goodbye_and_nothing_after_it(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    bob.put("a")
    bob.put("b")
    bob.close(4501, "goodbye")
    assert bob.closing
    bob.close(4400, "another goodbye")
    assert bob.put("too late")
    assert bob.put("too late", always=True)
    bob.offer(Bundle.of("too late"))
    await stalled.recover()
    assert stalled.texts == ["a", "b", "goodbye"]
    assert stalled.closed_with == [4501]


async def test_a_batching_socket_gets_its_goodbye_in_an_array(stalled: Network) -> None:
    bob = Outbox(stalled.send, batch=True)
    bob.put("1")
    await settled()
    bob.put("2")
    bob.close(4501, '"goodbye"')
    await stalled.recover()
    assert stalled.texts == ["[1]", '[2,"goodbye"]']
    assert stalled.closed_with == [4501]


async def test_who_is_cut_off_is_closed_without_what_waits(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    bob.put("a")
    bob.put("b")
    await settled()
    bob.cut(4508)
    assert bob.closing
    bob.put("too late")
    bob.close(4501, "too late")
    await stalled.recover()
    assert stalled.sent == [{"type": "websocket.close", "code": 4508}]
    await asyncio.wait_for(bob.emptied(), 30)


# --- Clients that have gone --------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError("reset"), RuntimeError("after close"), ValueError("nobody expected this")])
@pytest.mark.parametrize("slow", [False, True])
async def test_a_client_that_has_gone_harms_nobody(error: Exception, slow: bool) -> None:
    network = Network(stalled=slow)
    network.error = error
    carol = Outbox(network.send)
    assert carol.put("a")
    assert carol.put("b")
    await network.recover()
    assert carol.lost
    assert carol.put("x" * OUTBOX_BYTES)
    assert carol.put("y" * OUTBOX_BYTES)
    carol.offer(Bundle.of("z"))
    await asyncio.wait_for(carol.emptied(), 30)
    carol.close(4501, "goodbye")
    carol.cut(4508)
    await settled()
    assert network.sent == []


@pytest.mark.parametrize("begun", [False, True])
async def test_an_abandoned_outbox_stops_and_lets_go_of_who_waits(stalled: Network, begun: bool) -> None:
    carol = Outbox(stalled.send)
    carol.put("a")
    waiting = asyncio.create_task(carol.emptied())
    if begun:
        await settled()
    carol.abandon()
    await asyncio.wait_for(waiting, 30)
    assert carol.put("b")
    await stalled.recover()
    assert stalled.sent == []


async def test_who_no_longer_waits_does_not_disturb_the_others(stalled: Network) -> None:
    bob = Outbox(stalled.send)
    bob.put("a")
    impatient, patient = asyncio.create_task(bob.emptied()), asyncio.create_task(bob.emptied())
    await settled()
    impatient.cancel()
    await settled()
    await stalled.recover()
    assert impatient.cancelled()
    assert patient.done()


# --- Batches ---------------------------------------------------------------------------------------


async def test_what_came_together_leaves_as_one_array(stalled: Network) -> None:
    bob = Outbox(stalled.send, batch=True)
    for number in range(5):
        bob.put(str(number))
    await settled()
    for number in range(5, 9):
        bob.put(str(number))
    await stalled.recover()
    assert stalled.texts == ["[0,1,2,3,4]", "[5,6,7,8]"]
    assert bob.waiting == 0


@pytest.mark.parametrize("character", ["x", "é", "语", "🙂"])
async def test_no_array_exceeds_a_frame_in_bytes(stalled: Network, character: str) -> None:
    bob = Outbox(stalled.send, batch=True)
    frames = [f'"{number}{character * 3_000}"' for number in range(60)]
    for frame in frames:
        assert bob.put(frame)
    await stalled.recover()
    assert all(len(text.encode()) <= MAX_FRAME_BYTES for text in stalled.texts)
    assert ",".join(text[1:-1] for text in stalled.texts) == ",".join(frames)
    assert len(stalled.texts) < 20


# --- A task only where one is needed ---------------------------------------------------------------


async def test_a_coroutine_that_never_waits_costs_no_task() -> None:
    done: list[str] = []

    async def quick() -> None:
        done.append("quick")

    assert start(quick()) is None
    assert done == ["quick"]


async def test_a_coroutine_goes_on_where_it_waited_with_results_and_errors() -> None:
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    heard: list[object] = []

    async def listener() -> None:
        heard.append(await first)
        await asyncio.sleep(0)
        try:
            await second
        except ValueError as error:
            heard.append(error)

    task = start(listener())
    assert task
    assert inspect.iscoroutine(task.get_coro())  # a generator is enough for Python 3.11 alone
    first.set_result("a")
    await settled()
    second.set_exception(problem := ValueError("b"))
    await task
    assert heard == ["a", problem]

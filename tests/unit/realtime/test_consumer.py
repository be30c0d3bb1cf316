"""One connection from accept to its end, for whoever builds a consumer of her own on this package."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from realtime import drain
from realtime import outbox as outbox_module
from realtime.closing import RESTART, TOO_SLOW, Goodbye
from realtime.consumer import SocketConsumer
from realtime.limits import OUTBOX_BYTES
from unit.realtime.asgi import Client, everybody_has_acted
from unit.realtime.fakes import settled, until


class Parrot(SocketConsumer):
    """Says everything back, twice as long."""

    subprotocols = ("parrot.2", "parrot.1")
    batch_subprotocols = frozenset({"parrot.2"})
    ends = 0

    async def opened(self) -> None:
        self.outbox.put("hello")

    async def received(self, text: str | None, data: bytes | None) -> None:
        if text == "boom":
            raise LookupError("the parrot has a fault")
        await self.reply(repr((text, data)))

    def ended(self) -> None:
        Parrot.ends += 1

    def goodbye_frame(self, reason: Goodbye) -> str:
        return f"goodbye: {reason.reason}"


class Silent(SocketConsumer):
    """Says nothing of its own, also when it closes."""


class Stalled(Client):
    """Its network takes nothing but the handshake until it recovers."""

    def __init__(self) -> None:
        super().__init__()
        self.recovered = asyncio.Event()
        self.received = 0

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await self.recovered.wait()
        await super().send(message)

    async def receive(self) -> dict[str, Any]:
        event = await super().receive()
        self.received += 1
        return event


@pytest.fixture(autouse=True)
async def nobody_is_left() -> AsyncIterator[None]:
    Parrot.ends = 0
    yield
    assert drain.sockets == set()


def texts(client: Client) -> list[str]:
    return [event["text"] for event in client.heard if event["type"] == "websocket.send"]


def types(client: Client) -> list[str]:
    return [event["type"].removeprefix("websocket.") for event in client.heard]


async def test_a_socket_is_accepted_and_hears_and_is_heard_until_it_goes() -> None:
    alice = Client()
    task = alice.meets(Parrot.as_asgi())
    await everybody_has_acted()
    assert alice.heard[0] == {"type": "websocket.accept", "subprotocol": None}
    assert len(drain.sockets) == 1
    alice.says(text="hi", bytes=None)
    alice.says(bytes=b"\x00")
    alice.says(text="")
    await everybody_has_acted()
    assert texts(alice) == ["hello", "('hi', None)", "(None, b'\\x00')", "('', None)"]
    alice.leaves()
    await asyncio.wait_for(task, 30)
    assert Parrot.ends == 1


@pytest.mark.parametrize(
    ("offered", "chosen", "greeting"),
    [
        ([], None, "hello"),
        (["parrot.1"], "parrot.1", "hello"),
        (["parrot.1", "parrot.2"], "parrot.2", "[hello]"),
        (["other"], None, "hello"),
    ],
)
async def test_the_preferred_of_the_offered_subprotocols_is_spoken(
    offered: list[str], chosen: str | None, greeting: str
) -> None:
    alice = Client(subprotocols=offered)
    task = alice.meets(Parrot.as_asgi())
    await settled()
    alice.leaves()
    await task
    assert alice.heard[0]["subprotocol"] == chosen
    assert texts(alice) == [greeting]


async def test_who_is_told_goodbye_hears_why_and_is_closed_and_no_longer_heard() -> None:
    alice = Client()
    task = alice.meets(Parrot.as_asgi())
    await everybody_has_acted()
    (socket,) = drain.sockets
    socket.close_with(RESTART)
    socket.close_with(TOO_SLOW)
    alice.says(text="hi")
    alice.leaves()
    await task
    assert types(alice) == ["accept", "send", "send", "close"]
    assert texts(alice) == ["hello", "goodbye: restart"]
    assert alice.heard[-1]["code"] == RESTART.code


async def test_a_protocol_without_a_goodbye_just_closes() -> None:
    alice = Client()
    task = alice.meets(Silent.as_asgi())
    await everybody_has_acted()
    next(iter(drain.sockets)).close_with(RESTART)
    alice.leaves()
    await task
    assert types(alice) == ["accept", "close"]


async def test_who_has_gone_before_being_accepted_is_no_error() -> None:
    class Gone(Client):
        async def send(self, message: dict[str, Any]) -> None:
            raise OSError("the client has gone")

    await Gone().meets(Parrot.as_asgi())
    assert Parrot.ends == 0


async def test_a_fault_of_the_consumer_ends_its_own_socket_in_good_order() -> None:
    alice = Client()
    task = alice.meets(Parrot.as_asgi())
    alice.says(text="boom")
    with pytest.raises(LookupError):
        await task
    assert Parrot.ends == 1


async def test_a_cancelled_socket_ends_in_good_order() -> None:
    alice = Client()
    task = alice.meets(Parrot.as_asgi())
    await everybody_has_acted()
    task.cancel()
    await asyncio.wait([task])
    assert Parrot.ends == 1


async def test_who_does_not_take_answers_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    bob = Stalled()
    task = bob.meets(Parrot.as_asgi())
    question = "x" * (OUTBOX_BYTES // 4)
    for _ in range(20):
        bob.says(text=question)
    await everybody_has_acted()
    assert bob.received < 10
    bob.recovered.set()
    await until(lambda: len(texts(bob)) == 21)
    bob.leaves()
    await task


async def test_who_takes_nothing_for_too_long_is_closed_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "SLOW_SECONDS", 0.05)
    bob = Stalled()
    task = bob.meets(Parrot.as_asgi())
    for _ in range(20):
        bob.says(text="x" * (OUTBOX_BYTES // 4))
    await until(lambda: types(bob)[-1:] == ["close"])
    assert types(bob) == ["accept", "close"]
    assert bob.heard[-1]["code"] == TOO_SLOW.code
    bob.leaves()
    await asyncio.wait_for(task, 30)


async def test_who_goes_with_a_full_outbox_does_not_stall_the_process() -> None:
    class Breaking(Stalled):
        async def send(self, message: dict[str, Any]) -> None:
            await super().send(message)
            if message["type"] == "websocket.send":
                raise OSError("the client has gone")

    carol = Breaking()
    task = carol.meets(Parrot.as_asgi())
    for _ in range(20):
        carol.says(text="x" * (OUTBOX_BYTES // 4))
    await everybody_has_acted()
    carol.recovered.set()
    carol.leaves()
    await asyncio.wait_for(task, 30)
    assert Parrot.ends == 1

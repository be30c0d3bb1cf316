"""Who may come in at all."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from realtime import admission, drain
from realtime.admission import Admission, Inside, subscriber
from realtime.seldom import Seldom
from unit.realtime.asgi import Client, everybody_has_acted, room


@pytest.fixture
def door(settings: Any) -> Admission:
    """Of a process with room for two."""
    settings.MAX_SOCKETS = 2
    settings.SOCKETS_PER_ADDRESS = 0
    return Admission(room, Inside())


async def test_a_full_process_sends_carol_to_the_next_one(door: Admission) -> None:
    alice, bob, carol = Client(), Client(), Client()
    for client in (alice, bob, carol):
        client.meets(door)
    await everybody_has_acted()
    assert [client.outcome for client in (alice, bob, carol)] == ["accept", "accept", "503"]
    assert carol.heard[1]["body"] == b"overloaded"


async def test_who_leaves_makes_room(door: Admission) -> None:
    alice, bob, carol = Client(), Client(), Client()
    alice.meets(door)
    bob.meets(door)
    alice.leaves()
    await everybody_has_acted()
    carol.meets(door)
    await everybody_has_acted()
    assert carol.outcome == "accept"


async def test_an_application_that_fails_makes_room_too(settings: Any) -> None:
    settings.MAX_SOCKETS = 1

    async def fail(scope: Any, receive: Any, send: Any) -> None:
        raise ArithmeticError

    door = Admission(fail, Inside())
    for _ in range(2):
        with pytest.raises(ArithmeticError):
            await Client().meets(door)
    assert door.inside.open == 0


async def test_while_draining_nobody_gets_in_but_the_prober(door: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "_draining", True)
    alice, prober = Client(), Client("/ws/health/")
    alice.meets(door)
    prober.meets(door)
    await everybody_has_acted()
    assert (alice.outcome, alice.heard[1]["body"]) == ("503", b"draining")
    assert prober.outcome == "accept"


async def test_a_server_without_the_extension_answers_403(door: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "_draining", True)
    alice = Client(extensions={})
    await alice.meets(door)
    assert alice.heard == [{"type": "websocket.close"}]


async def test_who_has_too_many_sockets_is_told_so(door: Admission, settings: Any) -> None:
    settings.MAX_SOCKETS, settings.SOCKETS_PER_ADDRESS = 100, 2
    first, second, third, neighbour = Client(), Client(), Client(), Client(client=["192.0.2.2", 1])
    for client in (first, second, third, neighbour):
        client.meets(door)
    await everybody_has_acted()
    assert [client.outcome for client in (first, second, neighbour)] == ["accept"] * 3
    accept, goodbye, close = third.heard
    assert accept["subprotocol"] is None
    assert json.loads(goodbye["text"]) == {"type": "goodbye", "reason": "too_many_sockets", "after_ms": 10_000}
    assert close == {"type": "websocket.close", "code": 4529}


async def test_a_socket_that_ends_can_be_replaced(door: Admission, settings: Any) -> None:
    settings.SOCKETS_PER_ADDRESS = 1
    first, second = Client(), Client()
    first.meets(door)
    first.leaves()
    await everybody_has_acted()
    second.meets(door)
    await everybody_has_acted()
    assert second.outcome == "accept"
    assert len(door.inside.open_from) == 1


@pytest.mark.parametrize(
    ("offered", "chosen", "wrapped"),
    [(["rooms.v1"], "rooms.v1", False), (["rooms.v1.batch", "rooms.v1"], "rooms.v1.batch", True)],
)
async def test_a_browser_hears_it_in_the_subprotocol_that_it_offered(
    door: Admission, settings: Any, offered: list[str], chosen: str, wrapped: bool
) -> None:
    settings.SOCKETS_PER_ADDRESS = 1
    Client().meets(door)
    await everybody_has_acted()
    second = Client(subprotocols=offered)
    await second.meets(door)
    assert second.heard[0]["subprotocol"] == chosen
    assert isinstance(json.loads(second.heard[1]["text"]), list) == wrapped


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::5", "2001:db8:1:2:ffff::6", True),
        ("2001:db8:1:2::5", "2001:db8:1:3::5", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("a socket file", "another", False),
    ],
)
def test_who_counts_as_one_subscriber(one: str, other: str, same: bool) -> None:
    assert (subscriber({"client": [one, 1]}) == subscriber({"client": [other, 2]})) == same


def test_a_client_without_an_address_is_somebody() -> None:
    assert subscriber({"client": None}) == ""


# --- What is said of it ------------------------------------------------------------------------------


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    monkeypatch.setattr(admission, "refusals", Seldom())
    return lambda: [record.getMessage() for record in caplog.records]


async def test_a_full_process_says_so_once_and_how_to_have_more_room(
    door: Admission, said: Callable[[], list[str]]
) -> None:
    for number in range(9):
        Client(client=[f"192.0.2.{number}", 1]).meets(door)
    await everybody_has_acted()
    (line,) = said()
    assert line.startswith("a socket from '192.0.2.2' was refused: 2 are open; start more processes (REPLICAS)")


async def test_who_has_too_many_sockets_is_named_once_with_the_setting(
    door: Admission, settings: Any, said: Callable[[], list[str]]
) -> None:
    settings.MAX_SOCKETS, settings.SOCKETS_PER_ADDRESS = 100, 1
    for _ in range(5):
        Client().meets(door)
        Client(client=["a\r\nforged line", 1]).meets(door)
    await everybody_has_acted()
    first, forged = said()
    assert first == "a socket from '192.0.2.1' was refused: it has 1 already, as many as SOCKETS_PER_ADDRESS says"
    assert "\n" not in forged


async def test_who_comes_while_a_process_leaves_is_no_news(
    door: Admission, monkeypatch: pytest.MonkeyPatch, said: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(drain, "_draining", True)
    await Client().meets(door)
    assert said() == []

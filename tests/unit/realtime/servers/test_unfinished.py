"""Connections without a whole request: counted, and the oldest go first."""

import pytest
from django.conf import LazySettings

from realtime import metrics
from realtime.servers import unfinished as module
from realtime.servers.unfinished import Unfinished
from unit.realtime.fakes import until

LONG = 60.0


class Connection:
    def __init__(self, *, idle: bool = False, begun: bool = False) -> None:
        self.end, self.idle, self.begun = "", idle, begun

    def late(self) -> None:
        self.end = "late"

    def drop(self) -> None:
        self.end = "dropped"


@pytest.fixture
def unfinished(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Unfinished:
    monkeypatch.setattr(module, "MAX_UNFINISHED", 3)
    settings.SOCKETS_PER_ADDRESS = settings.PROXY_HOPS = 0
    return Unfinished()


def ends(connections: list[Connection]) -> list[str]:
    return [connection.end for connection in connections]


async def test_the_oldest_makes_room(unfinished: Unfinished) -> None:
    people = [Connection() for _ in range(5)]
    for person in people:
        unfinished.begin(person, "192.0.2.1", LONG)
    assert ends(people) == ["dropped", "dropped", "", "", ""]
    assert len(unfinished) == 3


async def test_whose_request_is_here_is_not_counted(unfinished: Unfinished) -> None:
    people = [Connection() for _ in range(5)]
    for person in people:
        unfinished.begin(person, "192.0.2.1", LONG)
        unfinished.end(person)
        unfinished.end(person)
    assert ends(people) == [""] * 5
    assert len(unfinished) == 0


async def test_who_begins_again_counts_once_and_is_the_youngest(unfinished: Unfinished) -> None:
    people = [Connection() for _ in range(4)]
    for person in [*people[:3], people[0], people[3]]:
        unfinished.begin(person, "192.0.2.1", LONG)
    assert ends(people) == ["", "dropped", "", ""]


async def test_the_deadline_comes(unfinished: Unfinished) -> None:
    alice, bob = Connection(), Connection()
    unfinished.begin(alice, None, 0.01)
    unfinished.begin(bob, None, 0.01)
    unfinished.end(bob)
    await until(lambda: alice.end == "late")
    assert bob.end == ""
    assert len(unfinished) == 0


async def test_an_address_makes_room_for_itself_only(unfinished: Unfinished, settings: LazySettings) -> None:
    settings.SOCKETS_PER_ADDRESS = 1
    alice, mallory = Connection(), [Connection() for _ in range(3)]
    unfinished.begin(alice, "192.0.2.1", LONG)
    for connection, host in zip(mallory, ["2001:db8::1", "2001:db8::2", "2001:db8::3"], strict=True):
        unfinished.begin(connection, host, LONG)
    assert ends([alice, *mallory]) == ["", "dropped", "dropped", ""]
    unfinished.end(alice)
    unfinished.end(mallory[2])
    assert unfinished._at == {}


async def test_a_proxys_address_is_nobodys(unfinished: Unfinished, settings: LazySettings) -> None:
    settings.SOCKETS_PER_ADDRESS = settings.PROXY_HOPS = 1
    people = [Connection() for _ in range(3)]
    for person in people:
        unfinished.begin(person, "192.0.2.1", LONG)
    assert ends(people) == ["", "", ""]


async def test_the_metric_tells_how_many_there_are(unfinished: Unfinished) -> None:
    unfinished.begin(Connection(), None, LONG)
    assert metrics.unfinished.collect()[0].samples[0].value == 1  # type: ignore[index]


async def test_who_has_begun_to_ask_or_connected_just_now_asks(
    unfinished: Unfinished, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, begun, idle = Connection(), Connection(begun=True), Connection(idle=True, begun=True)
    for connection in (silent, begun, idle):
        unfinished.begin(connection, None, LONG)
    assert [unfinished.asks(connection) for connection in (silent, begun, idle)] == [True, True, False]
    unfinished.end(begun)
    assert not unfinished.asks(begun)
    monkeypatch.setattr(module, "SILENT_SECONDS", 0)
    assert not unfinished.asks(silent), "it has connected in advance"
    assert not unfinished.asked()

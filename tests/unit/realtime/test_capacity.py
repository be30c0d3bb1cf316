"""How many sockets fit where the machine allows few open files."""

import resource
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from realtime import capacity
from realtime.admission import Admission
from unit.realtime.asgi import Client, everybody_has_acted, room


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.MAX_SOCKETS, settings.DATABASE_POOL, settings.SOCKETS_PER_ADDRESS = 100, 8, 0
    monkeypatch.setattr(capacity, "_most", float("inf"))
    monkeypatch.setattr(capacity, "open_now", lambda: 10)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    kept = {"files": (256, 1_024)}
    monkeypatch.setattr(resource, "getrlimit", lambda what: kept["files"])
    monkeypatch.setattr(resource, "setrlimit", lambda what, wanted: kept.__setitem__("files", wanted))
    return kept


def test_where_there_are_enough_the_setting_holds() -> None:
    assert capacity.settle(1_000) == ""
    assert capacity.most_sockets() == 100


def test_where_there_are_few_the_bound_is_lower_and_said() -> None:
    sentence = capacity.settle(100)
    most = capacity.most_sockets()
    assert 0 < most < 100 - capacity.kept() - capacity.ARRIVING
    assert sentence.startswith(f"MAX_SOCKETS is 100, but the limit of open files is 100: at most {most} sockets")


def test_a_larger_pool_of_connections_leaves_fewer_for_sockets(settings: Any) -> None:
    capacity.settle(110)
    few = capacity.most_sockets()
    settings.DATABASE_POOL = capacity.DATABASE + 10
    capacity.settle(110)
    assert capacity.most_sockets() == few - 10


def test_where_not_one_fits_there_is_a_sentence_with_what_is_enough() -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        capacity.settle(40)
    enough = int(str(refusal.value).rpartition("at least ")[2].partition(" ")[0])
    capacity.settle(enough)
    assert capacity.most_sockets() == 1
    with pytest.raises(ImproperlyConfigured):
        capacity.settle(enough - 1)


async def test_the_door_refuses_whom_the_machine_has_no_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "_most", 1)
    door, alice, bob = Admission(room), Client(), Client()
    alice.meets(door)
    await everybody_has_acted()
    bob.meets(door)
    await everybody_has_acted()
    assert (alice.outcome, bob.outcome) == ("accept", "503")


def test_the_soft_limit_is_raised_to_the_hard_one(limits: dict[str, tuple[int, int]]) -> None:
    assert capacity.raise_limit() == 1_024
    assert limits["files"] == (1_024, 1_024)


def test_without_a_hard_limit_it_is_raised_to_what_is_enough(limits: dict[str, tuple[int, int]]) -> None:
    limits["files"] = (128, resource.RLIM_INFINITY)
    assert capacity.settle(capacity.raise_limit()) == ""


def test_a_system_that_refuses_keeps_its_limit(
    limits: dict[str, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert capacity.raise_limit() == 256

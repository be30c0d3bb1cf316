"""What alice may do by forms and requests is one allowance, whichever process she asks."""

import asyncio
from typing import Any

import pytest

from realtime import registry
from topics import people, rates
from topics.delivery.services import Services
from unit.realtime.fakes import until

from .test_consumer import OPEN, Client
from .test_http import post

ALICE = people.guest_of(None)


@pytest.fixture
def few(settings: Any) -> None:
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.001, 3


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("process", "few")]


async def test_what_she_posts_is_taken_from_what_her_sockets_may_say() -> None:
    alice = Client("alice")
    for number in range(3):
        assert (await post({"data": number})).status_code == 201
    assert (await alice.sends(OPEN, "a", 1))["code"] == "rate_limited"
    assert (await post({"data": 4})).status_code == 429
    assert (await post({"data": 4}, "bob")).status_code == 201


async def test_a_form_takes_from_the_hub_so_that_other_processes_hear_of_it(process: Any) -> None:
    Services.here()
    for _ in range(3):
        assert await asyncio.to_thread(rates.post, ALICE) == 0.0
    assert await asyncio.to_thread(rates.post, ALICE) > 0
    key = ALICE.key

    def told() -> bool:
        return any(key in event.get("spent", ()) for message in process.sent for event in message["events"])

    await until(told)


async def test_what_she_has_spent_elsewhere_is_spent(process: Any) -> None:
    hub = Services.here().hub
    assert await asyncio.to_thread(rates.post, ALICE) == 0.0
    hub._receive(None, {"spent": {ALICE.key: 3}, "process": "another"})
    assert await asyncio.to_thread(rates.post, ALICE) > 0


def test_a_process_without_a_hub_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registries", {})
    somebody = people.guest_of(None)
    assert [rates.rename(somebody) > 0 for _ in range(rates.NAMES_AT_ONCE + 1)] == rates.NAMES_AT_ONCE * [False] + [
        True
    ]


async def test_a_hub_that_is_busy_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "PATIENCE_SECONDS", 0.01)
    Services.here()
    assert rates.post(people.guest_of(None)) == 0.0  # in the loop itself, which so cannot answer

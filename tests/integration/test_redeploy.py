"""A deploy with a crowd: everybody is asked to leave in turn, comes back by resume, and misses nothing."""

import asyncio
from collections.abc import Iterator

import pytest

from client import new_room
from crowd import RESTART, Patient, Redeploy, chat, enter, redeploy, settled
from following import new_topic
from regulars import OnSocket, OnStream
from servers.app import FOREIGN_APP, Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack

pytestmark = pytest.mark.slow

PEOPLE = 300  # of whom every sixth is in a topic
ROOMS = 10
TOPICS = 4
SECONDS = 40  # until all are back
AT_ONCE = 100  # in half a second; a process takes several times as many handshakes


@pytest.fixture(scope="module")
def stack(image: Image, postgres: Postgres) -> Iterator[Stack]:
    """A process of each server: first one leaves and the other takes its people, then the other way round."""
    with Stack(image, postgres, SERVERS, DRAIN_SECONDS="6", **FOREIGN_APP) as running:
        yield running


class PatientOnSocket(Patient, OnSocket):
    """In a foreign app's topic."""


async def test_a_rolling_deploy_loses_nobody_and_nothing(stack: Stack) -> None:
    rooms, topics = [new_room("deploy") for _ in range(ROOMS)], [new_topic("deploy") for _ in range(TOPICS)]
    voters = await enter([stack.ws_url], topics, PEOPLE // 10, PatientOnSocket)
    listeners = await enter([stack.ws_url], topics, PEOPLE // 6 - len(voters), OnStream)
    talkers = await enter([stack.ws_url], rooms, PEOPLE - PEOPLE // 6, Patient)
    crowd = [*voters, *listeners, *talkers]
    over = asyncio.Event()
    chatting = asyncio.create_task(chat(over, [*voters[:TOPICS], *talkers[: 2 * ROOMS]], per_second=3))
    try:
        for process in stack.ws:
            assert_in_order(await redeploy(crowd, process))
        over.set()
        await chatting
        account = await settled(stack, crowd)
    finally:
        chatting.cancel()
        await asyncio.gather(*(one.leave() for one in crowd))
    print(account)
    assert account.faultless, account
    assert account.acked > 100
    assert account.dials < 3 * PEOPLE, "nobody had to try again and again"


def assert_in_order(deploy: Redeploy) -> None:
    print(deploy)
    assert deploy.exit_code == 0
    assert deploy.sockets > PEOPLE / 3
    assert len(deploy.told) == len(deploy.back) == deploy.sockets
    assert deploy.codes == {RESTART}
    assert max(deploy.back) < SECONDS
    assert deploy.busiest(deploy.due) <= AT_ONCE
    assert deploy.busiest(deploy.back) <= 1.5 * AT_ONCE, "they do come when they are asked to"

"""The channel layer takes what goes to many groups at once: over real servers of Redis, of which one dies."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.exceptions import ConnectionError as Refused

from realtime import layers
from servers.redis import Redis

GROUPS = [f"room-{number}" for number in range(40)]
SECONDS = 30


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Redis]]:
    servers = [Redis(), Redis()]
    for one in servers:
        one.start()
    yield servers
    for one in servers:
        one.stop()


def pub_sub(servers: list[Redis]) -> RedisPubSubChannelLayer:
    return RedisPubSubChannelLayer(hosts=[one.url for one in servers])


def messages(first: int) -> list[layers.Message]:
    return [(group, {"type": "said", "to": group, "number": first + turn}) for turn in range(3) for group in GROUPS]


async def entered(servers: list[Redis], layer: Any, channel: str) -> None:
    """A layer does not wait until Redis has heard of it."""
    for group in GROUPS:
        await layer.group_add(group, channel)
    async with asyncio.timeout(SECONDS):
        while isinstance(layer, RedisPubSubChannelLayer) and subscribed(servers) < len(GROUPS):
            await asyncio.sleep(0.05)


def subscribed(servers: list[Redis]) -> int:
    return sum(one.ask("PUBSUB CHANNELS *__group__*").count("__group__") for one in servers)


async def heard(layer: Any, channel: str, count: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {group: [] for group in GROUPS}
    async with asyncio.timeout(SECONDS):
        for _ in range(count):
            message = await layer.receive(channel)
            found[message["to"]].append(message["number"])
    return found


@pytest.mark.parametrize("kind", ["one Redis", "several", "Redis' lists", "in memory"])
async def test_each_group_hears_what_it_is_sent_once_and_in_order(servers: list[Redis], kind: str) -> None:
    alices, bobs = {
        "one Redis": lambda: (pub_sub(servers[:1]), pub_sub(servers[:1])),
        "several": lambda: (pub_sub(servers), pub_sub(servers)),
        "Redis' lists": lambda: (RedisChannelLayer(hosts=[servers[0].url], capacity=1_000),) * 2,
        "in memory": lambda: (InMemoryChannelLayer(capacity=1_000),) * 2,
    }[kind]()
    channel = await bobs.new_channel()
    await entered(servers, bobs, channel)
    await layers.send_all(alices, messages(1))
    await layers.send_all(alices, messages(4))
    found = await heard(bobs, channel, 6 * len(GROUPS))
    assert found == {group: [1, 2, 3, 4, 5, 6] for group in GROUPS}
    for one in (alices, bobs):
        await layers.disconnect(one)


async def test_who_sends_is_told_that_redis_is_away_and_may_go_on_when_it_is_back(servers: list[Redis]) -> None:
    alices = pub_sub(servers)
    await layers.send_all(alices, messages(1))
    await asyncio.to_thread(servers[1].kill)
    with pytest.raises(Refused):
        await layers.send_all(alices, messages(4))
    await asyncio.to_thread(servers[1].start)
    bobs = pub_sub(servers)
    channel = await bobs.new_channel()
    await entered(servers, bobs, channel)
    await layers.send_all(alices, messages(7))
    assert await heard(bobs, channel, 3 * len(GROUPS)) == {group: [7, 8, 9] for group in GROUPS}
    for one in (alices, bobs):
        await layers.disconnect(one)

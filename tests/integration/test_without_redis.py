"""Several processes and no Redis: what one says the others hear over Postgres, at once."""

import asyncio
import json
from collections.abc import Iterator

import psycopg
import pytest

from client import new_room
from pairs import hears_typing, met
from servers.app import Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from visitor import Visitor, room_page

SECONDS = 60
LONG = "爱丽丝 says " + "x" * 3_900  # which one notification does not hold
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"

# What code written for Channels does with a layer, in a view and in a consumer.
CHANNELS = """
import asyncio
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

layer, message = get_channel_layer(), {"type": "said", "bytes": bytes(9_000), "text": "爱丽丝", "none": [None, 1.5]}

async def consumer():
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    await layer.send(channel, message)
    assert await layer.receive(channel) == message
    await asyncio.to_thread(async_to_sync(layer.group_send), "group", message)
    assert await layer.receive(channel) == message
    await layer.group_discard("group", channel)
    await layer.group_send("group", message)
    await layer.send(channel, {"type": "last"})
    assert await layer.receive(channel) == {"type": "last"}

asyncio.run(asyncio.wait_for(consumer(), 60))
print("all of it")
"""


@pytest.fixture(scope="module")
def stack(image: Image, cluster: Postgres) -> Iterator[Stack]:
    with Stack(image, cluster, SERVERS, REDIS_URL="") as running:
        running.redis.kill()
        yield running


async def test_who_talks_at_one_process_is_seen_and_heard_at_the_other(stack: Stack) -> None:
    async with met(stack, new_room()) as (alice, bob):
        await hears_typing(alice, bob)
        await hears_typing(bob, alice)
        await asyncio.gather(*(one.say(f"{number}") for number in range(40) for one in (alice, bob)))
        await alice.say(LONG)
        for one in (alice, bob):
            await one.hears(LONG)
        assert alice.bodies() == bob.bodies()
        assert len(bob.bodies()) == 81


async def test_what_a_view_appends_is_heard_and_the_view_hears_who_is_there(stack: Stack) -> None:
    room = new_room()
    async with met(stack, room) as (alice, bob):
        visitor = Visitor(stack.base_url)
        visitor.post(room_page(room), {"body": "from a page"})
        for one in (alice, bob):
            await one.hears("from a page", SECONDS)
        members = json.loads(visitor.get(f"/topics/room/{room}?members").text)
        assert members["member_count"] == 2


@pytest.mark.parametrize("fault", ["restarted", "cut off"])
async def test_after_postgres_was_away_they_hear_each_other_again_and_nothing_is_lost(stack: Stack, fault: str) -> None:
    async with met(stack, new_room()) as (alice, bob):
        await alice.say("before")
        if fault == "restarted":
            await asyncio.to_thread(stack.postgres.restart)
        else:
            with psycopg.connect(stack.database.url, autocommit=True) as root:
                ended = root.execute(f"SELECT count(pg_terminate_backend(pid)) FROM ({LISTENERS}) AS who").fetchone()
            assert ended
            assert ended[0] >= 2
        await hears_typing(alice, bob)
        await hears_typing(bob, alice)
        await bob.say("after")
        for one in (alice, bob):
            await one.hears("after", SECONDS)
            assert one.bodies() == ["before", "after"]


def test_code_written_for_channels_has_a_layer_like_any_other(stack: Stack) -> None:
    assert "all of it" in stack.manage("shell", "--command", CHANNELS)

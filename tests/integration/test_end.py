"""A loop that ends leaves nothing in Redis and nothing in the process, and the next one starts afresh."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from client import enter, new_room
from servers import needed
from servers.app import Image, environment
from servers.redis import Redis
from servers.stack import SERVERS

django.setup()

from realtime import hub as hub_module  # noqa: E402
from realtime import registry  # noqa: E402
from realtime.contract import Numbered  # noqa: E402
from realtime.hub import Hub  # noqa: E402
from topics.storing import database  # noqa: E402
from topics.storing.gathering import Gathering, Unanswered  # noqa: E402
from unit.realtime.fakes import Permissive, Socket, until  # noqa: E402


class Rooms(Permissive):
    async def read(self, room: str, after: int, limit: int) -> list[Numbered]:
        return []

    async def changed(self, seconds: float) -> list[Any]:
        return []

    def presence_frame(self, room: str, joined: Any, left: Any, member_count: int) -> str:
        return f"{member_count} members"


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    needed.programs("redis-server")
    redis = Redis()
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture(params=[RedisPubSubChannelLayer, RedisChannelLayer])
def layer(request: pytest.FixtureRequest, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Any:
    layer = request.param(hosts=[redis.url])
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    return layer


async def life(redis: Redis) -> None:
    """Alice follows a room with bob in another process, and the database was asked something."""
    hub = registry.here().get(Hub, lambda: Hub(Rooms()))
    hub.join("1", Socket("alice"), {"name": "alice", "guest": False}, epoch="", position=0)
    other = Hub(Rooms())
    bob = Socket("bob")
    other.join("1", bob, {"name": "bob", "guest": False}, epoch="", position=0)
    await until(lambda: "2 members" in bob.heard)
    assert await database.run(database.readers, threading.current_thread) is not threading.current_thread()
    assert redis.clients() > 0
    await other.close()


async def whole_life(redis: Redis) -> None:
    await life(redis)
    await registry.leave()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await until(lambda: redis.clients() == 0)


def test_nothing_is_left_and_the_next_loop_starts_afresh(redis: Redis, layer: Any) -> None:
    before = set(threading.enumerate())
    for _ in range(2):
        asyncio.run(whole_life(redis))
        deadline = time.monotonic() + 30
        while set(threading.enumerate()) - before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert set(threading.enumerate()) == before


async def test_a_redis_that_hangs_keeps_nobody(redis: Redis, layer: Any) -> None:
    await life(redis)
    redis.pause()
    try:
        hub = registry.here().get(Hub, lambda: Hub(Rooms()))
        hub.mention("1", "typing", by="")
        async with asyncio.timeout(30):  # Redis would hang for longer
            await registry.here().close()
        assert Hub not in registry.here()
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    finally:
        redis.resume()


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_process_leaves_in_order_though_redis_hangs(
    kind: str, redis: Redis, image: Image, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    env = environment(DATABASE_URL=url, REDIS_URL=redis.url, WS_SERVER=kind, DRAIN_SECONDS="1")
    image.migrate(env)
    server = image.ws(f"leaving-{kind}", env)
    server.start()
    alice = await enter(server.ws_url, new_room())
    await alice.say("hello")
    redis.pause()
    try:
        await alice.send({"type": "typing"})
        assert await asyncio.to_thread(server.stop, 30) == 0
    finally:
        redis.resume()
    assert await alice.closed() == 4501
    assert "Traceback" not in server.output()


async def test_whoever_still_asks_is_told_that_nobody_answers() -> None:
    may_answer = threading.Event()
    asked = registry.here().get("questions", lambda: Gathering(lambda questions: [may_answer.wait(30)], 1))
    waiting = [asyncio.create_task(asked.ask(number)) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    closing = asyncio.create_task(registry.here().close())
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == 3 * [Unanswered]
    may_answer.set()
    await closing

"""Two sites that do not know of each other share a Redis: alice and bob talk in one, carol and dan in the other.

Both databases are new, so that the rooms, the messages and the people have the same keys and numbers in both.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from client import Socket, enter
from servers.app import Image, Server, environment
from servers.postgres import Postgres
from servers.redis import Redis
from servers.stack import SERVERS

Site = list[Server]


@pytest.fixture(scope="module", params=SERVERS)
def sites(request: pytest.FixtureRequest, image: Image, postgres: Postgres) -> Iterator[list[Site]]:
    redis = Redis()
    redis.start()
    sites: list[Site] = []
    for number in range(2):
        url = postgres.create_database(f"neighbour-{request.param}-{number}")
        redis_url = redis.url.removesuffix("0") + str(number)  # which publish and subscribe know nothing of
        env = environment(DATABASE_URL=url, REDIS_URL=redis_url, WS_SERVER=request.param)
        image.migrate(env)
        sites.append([image.ws(f"site-{number}-{name}", env) for name in "ab"])
    servers = [server for site in sites for server in site]
    for server in servers:
        server.launch()
    for server in servers:
        server.wait_ready()
    yield sites
    for server in servers:
        server.kill()
    redis.stop()


async def test_neighbours_on_one_redis_hear_nothing_of_each_other(sites: list[Site]) -> None:
    async with AsyncExitStack() as leaving:
        (alice, bob), (carol, dan) = [
            [await leaving.enter_async_context(await enter(server.ws_url, "lobby")) for server in site]
            for site in sites
        ]
        pairs = ((alice, bob), (carol, dan))
        for one, other in (*pairs, *(pair[::-1] for pair in pairs)):
            await one.until(lambda frame, other=other: name(other) in names([frame]), "the other one's coming")
        # What comes by way of Redis comes in order: who has heard the later of these has been told the earlier ones.
        for number in range(1, 6):
            for one, other in pairs:
                said = f"{name(one)}'s {number}"
                assert (await one.say(said))["seq"] == number
                assert (await other.hears(said))["seq"] == number
                await one.hears(said)
        for one, other in pairs:
            for each in (one, other):
                assert each.bodies() == [f"{name(one)}'s {number}" for number in range(1, 6)]
                assert names(each.frames) == {name(one), name(other)}
                assert max(frame["member_count"] for frame in each.frames if "member_count" in frame) == 2


async def test_their_members_are_their_own(sites: list[Site]) -> None:
    async with await enter(sites[0][0].ws_url, "members") as alice, await enter(sites[1][0].ws_url, "members") as carol:
        for site, first in zip(sites, (alice, carol), strict=True):
            async with await enter(site[1].ws_url, "members") as second:
                await second.until(lambda frame, first=first: name(first) in names([frame]), "who was there")
                assert names(second.frames) == {name(first), name(second)}


def name(socket: Socket) -> str:
    return str(socket.welcome["you"]["name"])


def names(frames: list[dict[str, object]]) -> set[str]:
    """Of everybody who is told of as being there."""
    return {
        person["name"]
        for frame in frames
        for person in [*frame.get("members", []), *frame.get("joined", [])]  # type: ignore[misc, attr-defined]
    }

"""Two sites that do not know of each other share what carries events: alice and bob talk in one, carol and dan in
the other.

Both databases are new, so that the rooms, the messages and the people have the same keys and numbers in both; or the
second one is a copy of the first, that is a site of its own by `new_epoch`. They share a Redis, several, one that
Sentinels keep, or one database of Postgres in two schemas.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager

import pytest

from client import Socket, enter
from servers.app import Image, Server, environment
from servers.postgres import Database, Postgres
from servers.redis import Redis
from servers.sentinel import Guarded

Site = list[Server]


@contextmanager
def shared(what: str) -> Iterator[Callable[[int], str]]:
    """REDIS_URL of a site with that number."""
    with ExitStack() as stack:
        if what == "a Redis by Sentinel":
            guarded = Guarded()
            stack.callback(guarded.stop)
            guarded.start()
            yield lambda number: guarded.url.removesuffix("0") + str(number)
            return
        several = [Redis() for _ in range({"a Redis": 1, "two Redis": 2}.get(what, 0))]
        for redis in several:
            redis.start()
            stack.callback(redis.stop)
        # A database's number, which publish and subscribe know nothing of.
        yield lambda number: ",".join(redis.url.removesuffix("0") + str(number) for redis in several)


@pytest.fixture(
    scope="module",
    params=[
        ("daphne", "a Redis", "new"),
        ("uvicorn", "two Redis", "copied"),
        ("daphne", "a Redis by Sentinel", "copied"),
        ("uvicorn", "Postgres", "in a schema beside"),
    ],
    ids=" ".join,
)
def sites(request: pytest.FixtureRequest, image: Image, postgres: Postgres) -> Iterator[list[Site]]:
    server, what, second = request.param
    with shared(what) as redis_url:
        yield from _sites(image, postgres, server, redis_url, second)


def _sites(
    image: Image, postgres: Postgres, server: str, redis_url: Callable[[int], str], second: str
) -> Iterator[list[Site]]:
    sites: list[Site] = []
    first = ""
    for number in range(2):
        name, copied = f"neighbour-{secrets.token_hex(4)}", bool(number) and second == "copied"
        if second == "in a schema beside":  # where notifications reach both
            first = first or postgres.create_database(name)
            Database(first).do(f"CREATE SCHEMA site{number}")
            url = f"{first}?options=-csearch_path%3Dsite{number}"
        else:
            url = postgres.create_database(name, **{"copy_of": first} if copied else {})
            first = name
        env = environment(DATABASE_URL=url, REDIS_URL=redis_url(number), WS_SERVER=server)
        image.migrate(env)
        identity = "from topics.models import Installation; print(Installation.identity())"
        image.manage("shell", "--command", identity, env=env)  # so that a copy has the same
        if copied:
            image.manage("new_epoch", env=env)
        sites.append([image.ws(f"site-{number}-{name}", env) for name in "ab"])
    servers = [server for site in sites for server in site]
    for server in servers:
        server.launch()
    for server in servers:
        server.wait_ready()
    yield sites
    for server in servers:
        server.kill()


async def test_neighbours_hear_nothing_of_each_other(sites: list[Site]) -> None:
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

"""Handshakes a second, so many at a time: each counts once its socket has been welcomed, and is closed again."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from bench.frame import Bench
from bench.people.guests import cookies
from bench.people.house import House, Peer
from bench.people.person import Person
from bench.people.spent import seconds as spent
from bench.result import Result, Values
from client import new_room
from servers.app import Server
from talkers import percentile

NAME: Final = "connects"
SERVERS = ("Daphne", "uvicorn")
AT_A_TIME: Final = 64
COUNT, QUICK_COUNT = 2_000, 500
WARM_UP: Final = 200
ROOMS: Final = 50  # that exist already, and are empty
VISITORS: Final = 200  # who come again and again


async def run(bench: Bench) -> AsyncIterator[Result]:
    """With the cookie of a session, of a guest, and of nobody at all."""
    count = QUICK_COUNT if bench.quick else COUNT
    with House(bench) as house:
        users, guests = cookies(house, VISITORS)
        headers = {"session": users, "guest": guests, "none": [""]}
        servers = started(bench, house)
        rooms = [new_room("connects") for _ in range(ROOMS)]
        runs: dict[tuple[str, str], list[Values | str]] = {(name, cookie): [] for name in servers for cookie in headers}
        for _ in range(bench.runs):
            for (name, cookie), values in runs.items():
                bench.say(f"connects: {name}, cookie: {cookie}")
                await connect(servers[name], rooms, headers[cookie], WARM_UP)
                values.append(await connect(servers[name], rooms, headers[cookie], count))
        for (name, cookie), values in runs.items():
            yield Result.of(NAME, name, {"at_a_time": AT_A_TIME, "cookie": cookie}, values)


def started(bench: Bench, house: House) -> dict[str, Server | Peer]:
    """The tutorial's consumer asks who comes by AuthMiddlewareStack, and nothing else of the database."""
    servers: dict[str, Server | Peer] = {}
    for server in SERVERS:
        servers[f"rooms, {server}"] = house.rooms(server)
        servers[f"tutorial with AuthMiddlewareStack, {server}"] = house.insert(server)
    wanted = {name: server for name, server in servers.items() if bench.wants(name)}
    return {name: house.started(server) for name, server in wanted.items()}


async def connect(server: Server | Peer, rooms: Sequence[str], cookies: Sequence[str], count: int) -> Values | str:
    seconds: list[float] = []
    numbers = iter(range(count))

    async def visitor() -> None:
        for number in numbers:
            began = time.perf_counter()
            person = Person(rooms[number % len(rooms)], numbered=False)
            await person.enter(server.ws_url, cookie=cookies[number % len(cookies)])
            seconds.append(time.perf_counter() - began)
            await person.leave()

    before, began = spent(server.pid), time.perf_counter()
    try:
        await asyncio.gather(*(visitor() for _ in range(AT_A_TIME)))
    except (OSError, TimeoutError) as error:
        return f"a handshake failed: {error!r}"
    passed, cpu = time.perf_counter() - began, spent(server.pid) - before
    return {
        "connects_per_s": count / passed,
        "p50_ms": percentile(seconds, 50) * 1000,
        "p99_ms": percentile(seconds, 99) * 1000,
        "server_ms_per_connect": cpu / count * 1000,
        "server_cores": cpu / passed,
    }

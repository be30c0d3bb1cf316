"""Everybody is cut off at once and comes back at once: how long it takes, and what it asks of Postgres."""

import asyncio
import gc
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from picows import WSError

from bench.frame import Bench
from bench.people.account import everybody_heard, first_complaint
from bench.people.guests import Talker, cookies
from bench.people.house import House
from bench.people.person import Person
from bench.people.spent import seconds as spent
from bench.people.talk import until
from bench.people.witness import Witness, counting_statements
from bench.result import Result, Values
from client import new_room
from servers.app import Server
from talkers import percentile

NAME: Final = "storm"
SERVERS = ("Daphne", "uvicorn")
SOCKETS, QUICK_SOCKETS = 2_000, 400
ENTERING: Final = 64  # at a time, before the storm
OFFLINE_SECONDS: Final = 1.0
DELIVERIES_PER_SECOND: Final = 1_000  # while the storm goes on,
LEAST_PER_SECOND: Final = 5  # messages
TALK_SECONDS: Final = 300  # more than any run takes
RETURN_SECONDS: Final = 120  # after which a run is refused
AGAIN_SECONDS: Final = (0.05, 0.3)  # after a handshake that failed


@dataclass
class Visit:
    """Somebody who comes back; `dials` counts the handshakes, `back` is the moment of the welcome."""

    person: Person
    cookie: str
    dials: int = 0
    back: float = 0.0

    async def come_back(self, base: str) -> None:
        while True:
            self.dials += 1
            try:
                await self.person.enter(base, cookie=self.cookie)
            except (OSError, WSError, TimeoutError):
                await asyncio.sleep(random.uniform(*AGAIN_SECONDS))
            else:
                self.back = time.perf_counter()
                return


@dataclass
class Scene:
    house: House
    witness: Witness
    server: Server
    rooms: list[str]
    visits: list[Visit]

    @property
    def people(self) -> list[Person]:
        return [visit.person for visit in self.visits]


async def run(bench: Bench) -> AsyncIterator[Result]:
    sockets = QUICK_SOCKETS if bench.quick else SOCKETS
    with House(bench) as house, counting_statements(house.around.postgres):
        witness, found = Witness(house.database), cookies(house, sockets // 2)
        headers = [cookie for pair in zip(*found, strict=True) for cookie in pair]
        runs: dict[tuple[str, int, str], list[Values | str]] = {
            (server, *kind): [] for kind in KINDS for server in SERVERS if bench.wants(f"rooms, {server}")
        }
        for _ in range(bench.runs):
            for (server, rooms, cut), values in runs.items():
                bench.say(f"storm: rooms, {server}, {rooms} rooms, {cut}")
                values.append(await one_storm(house, witness, house.rooms(server), cut, rooms, headers))
        for (server, rooms, cut), values in runs.items():
            yield Result.of(NAME, f"rooms, {server}", {"sockets": sockets, "rooms": rooms, "cut": cut}, values)


async def one_storm(
    house: House, witness: Witness, server: Server, cut: str, rooms: int, cookies: list[str]
) -> Values | str:
    gc.collect()
    names = [new_room("storm") for _ in range(rooms)]
    visits = [Visit(Person(names[number % rooms]), cookie) for number, cookie in enumerate(cookies)]
    scene = Scene(house, witness, house.started(server), names, visits)
    per_second = max(LEAST_PER_SECOND, DELIVERIES_PER_SECOND * rooms / len(cookies))
    talker = Talker(house, witness.url, names, per_second, TALK_SECONDS)
    try:
        await come_in(scene)
        talker.start()
        await until(lambda: any(person.count for person in scene.people))
        values = await CUTS[cut](scene)
        talker.stop()
        return await wrong(scene) or values
    except (TimeoutError, OSError, WSError) as error:
        return f"{sum(not visit.back for visit in visits)} of {len(visits)} are not back: {error!r}"
    finally:
        talker.kill()
        for person in scene.people:
            person.cut()
        server.kill()


async def come_in(scene: Scene) -> None:
    gate = asyncio.Semaphore(ENTERING)

    async def enter(visit: Visit) -> None:
        async with gate:
            await visit.person.enter(scene.server.ws_url, cookie=visit.cookie)

    await asyncio.gather(*map(enter, scene.visits))


# --- Two ways of being cut off -------------------------------------------------------------------


async def lines_are_cut(scene: Scene) -> Values:
    for person in scene.people:
        person.cut()
    await asyncio.sleep(OFFLINE_SECONDS)
    return await all_return(scene)


async def server_is_killed(scene: Scene) -> Values:
    """It starts again while nobody dials: how long that takes is not the storm's."""
    scene.server.kill()
    await asyncio.sleep(OFFLINE_SECONDS)
    await asyncio.to_thread(scene.house.started, scene.server)
    return await all_return(scene)


CUTS: dict[str, Callable[[Scene], Awaitable[Values]]] = {
    "lines cut": lines_are_cut,
    "server killed": server_is_killed,
}
KINDS = [(100, "lines cut"), (100, "server killed"), (1, "lines cut")]  # rooms and cut


async def all_return(scene: Scene) -> Values:
    before = used(scene)
    with scene.witness.watching() as connections:
        began = time.perf_counter()
        async with asyncio.timeout(RETURN_SECONDS):
            await asyncio.gather(*(visit.come_back(scene.server.ws_url) for visit in scene.visits))
    after = used(scene)
    seconds = sorted(visit.back - began for visit in scene.visits)
    statements, server, postgres = (now - then for now, then in zip(after, before, strict=True))
    return {
        "back_s": seconds[-1],
        "back_p50_s": percentile(seconds, 50),
        "dials": sum(visit.dials for visit in scene.visits),
        "most_connections": max(connections),
        "statements_per_socket": statements / len(seconds),
        "server_cpu_s": server,
        "postgres_cpu_s": postgres,
    }


def used(scene: Scene) -> tuple[float, float, float]:
    """Statements so far, and CPU seconds of the server and of Postgres."""
    server, postgres = (spent(one.pid) for one in (scene.server, scene.house.around.postgres))
    return scene.witness.statements(), server, postgres


async def wrong(scene: Scene) -> str:
    """Everything in the log was said by the talker, and is to be heard once by everybody in its room."""
    logs = scene.house.logs(scene.rooms)
    if not all(logs.values()):
        return "a room in which nothing was said"
    await everybody_heard(logs, scene.people)
    said = {id: room for room, log in logs.items() for _, id in log}
    return first_complaint(logs, said, {id: seq for log in logs.values() for seq, id in log}, scene.people)

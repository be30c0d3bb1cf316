"""A thousand real sockets beside a thousand simulated ones: what comes of storms, rollouts and Redis' absence.

What a person costs is measured with a quarter of them, on this machine and in this minute; then a thousand are
simulated, and then they come.
"""

import asyncio
import json
import random
import time
from statistics import median
from typing import Any

from picows import WSError, WSFrame, WSMsgType, WSTransport

from bench.frame import Bench
from bench.people.house import House
from bench.people.person import Person
from client import new_id, new_room
from servers.app import Server
from simulation.scenes import redis_away, rollout, share, storm
from simulation.site import Costs, back_off

SOCKETS, FEW, ROOMS = 1_000, 250, 50
ROUNDS = 3
ENTERING = 64  # at a time
LISTENING = 10  # rooms with somebody who is heard elsewhere
AWAY_SECONDS, EACH_SECONDS = 20, 0.2
WITHIN = 0.25

chance = random.Random()


class Browser(Person):
    """Comes back as the browser's client does."""

    async def enter(self, base: str, *, cookie: str = "") -> "Browser":
        self.ended = asyncio.Event()
        self.ordered = 0.0
        await super().enter(base, cookie=cookie)
        return self

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT and b'"goodbye"' in (payload := frame.get_payload_as_bytes()):
            self.ordered = json.loads(payload)["after_ms"] / 1000
        else:
            super().on_ws_frame(transport, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        super().on_ws_disconnected(transport)
        self.ended.set()

    async def returns(self, base: str) -> float:
        """The moment of the next welcome."""
        await self.ended.wait()
        await asyncio.sleep(self.ordered or back_off(chance, 0))
        attempt = 0
        while True:
            try:
                await self.enter(base)
            except (OSError, WSError, TimeoutError):
                await asyncio.sleep(back_off(chance, attempt))
                attempt += 1
            else:
                return time.monotonic()


class Listener(Person):
    """Notes when each message came."""

    def __init__(self, room: str) -> None:
        super().__init__(room)
        self.heard: dict[str, float] = {}

    def hear(self, frame: Any) -> None:
        if frame.type == "message":
            self.heard.setdefault(frame.id, time.monotonic())
        super().hear(frame)


def validate() -> int:
    return asyncio.run(_validate())


async def _validate() -> int:
    bench = Bench(runs=1)
    found: dict[str, list[tuple[float, float]]] = {}
    try:
        with House(bench) as house:
            for number in range(1, ROUNDS + 1):
                bench.say(f"round {number} of {ROUNDS}")
                for name, pair in [*await cuts(house), *await leaving(house), *await without_redis(house)]:
                    found.setdefault(name, []).append(pair)
    finally:
        bench.surroundings.stop()
    wrong = 0
    for name, pairs in found.items():
        off = [simulated / real - 1 for simulated, real in pairs]  # each by what a person cost in that minute
        wrong += abs(median(off)) > WITHIN
        rounds = ", ".join(f"{simulated:.2f} s for {real:.2f}" for simulated, real in pairs)
        print(f"{name:<42}{median(off):+.0%} (simulated {rounds})")
    return int(bool(wrong))


Found = list[tuple[str, tuple[float, float]]]


async def people(server: Server, count: int) -> list[Browser]:
    rooms, gate = [new_room("simulated") for _ in range(ROOMS)], asyncio.Semaphore(ENTERING)
    found = [Browser(rooms[number % ROOMS]) for number in range(count)]

    async def enter(one: Browser) -> None:
        async with gate:
            await one.enter(server.ws_url)

    await asyncio.gather(*map(enter, found))
    return found


async def cut(server: Server, found: list[Browser], *, at_once: bool = False) -> list[float]:
    """When each was back, in order, in seconds from the cut."""
    for one in found:
        one.cut()
    await asyncio.gather(*(one.ended.wait() for one in found))
    began = time.monotonic()
    if at_once:
        await asyncio.gather(*(one.enter(server.ws_url) for one in found))
        return [time.monotonic() - began]
    return sorted(moment - began for moment in await asyncio.gather(*(one.returns(server.ws_url) for one in found)))


async def costs(house: House, server: Server) -> Costs:
    """Of a person in a crowd of few, by the clock: with those who dial beside, and whatever else the machine does."""
    few = await people(server, FEW)
    [seconds] = await cut(server, few, at_once=True)
    for one in few:
        one.cut()
    return Costs(seconds / FEW, 0.0)


async def cuts(house: House) -> Found:
    server = house.started(house.rooms("Daphne"))
    try:
        simulated = storm(SOCKETS, 1, await costs(house, server))
        found = await people(server, SOCKETS)
        real = await cut(server, found)
    finally:
        server.kill()
    return [
        ("all lines are cut: half are back", (simulated.half_back, share(real, 0.5))),
        ("all lines are cut: 95 of 100 are back", (simulated.nearly_back, share(real, 0.95))),
    ]


async def leaving(house: House) -> Found:
    old, new = house.started(house.rooms("Daphne")), house.started(house.rooms("Daphne"))
    try:
        simulated = rollout(SOCKETS, 1, await costs(house, new))
        found = await people(old, SOCKETS)
        began = time.monotonic()
        old.signal(15)
        real = sorted(moment - began for moment in await asyncio.gather(*(one.returns(new.ws_url) for one in found)))
        for one in found:
            one.cut()
    finally:
        old.kill()
        new.kill()
    return [
        ("a process leaves: half are back", (simulated.half_back, share(real, 0.5))),
        ("a process leaves: 95 of 100 are back", (simulated.nearly_back, share(real, 0.95))),
    ]


async def without_redis(house: House) -> Found:
    """Some speak at one process and are heard at the other, where the thousand are."""
    here, there = house.started(house.rooms("Daphne")), house.started(house.rooms("Daphne"))
    redis = house.around.redis
    try:
        crowd = await people(there, SOCKETS)
        rooms = [one.room for one in crowd[:LISTENING]]
        speaking = [await Person(room).enter(here.ws_url) for room in rooms]
        listening = [await Listener(room).enter(there.ws_url) for room in rooms]
        simulated = redis_away(1 / EACH_SECONDS, LISTENING, 2 * LISTENING * 100, 2, 0.0, AWAY_SECONDS)
        await asyncio.to_thread(redis.kill)
        said: dict[str, float] = {}
        for number in range(int(AWAY_SECONDS / EACH_SECONDS)):
            id = new_id()
            said[id] = time.monotonic()
            speaking[number % LISTENING].say(id, "x" * 80)
            await asyncio.sleep(EACH_SECONDS)
        async with asyncio.timeout(60):
            while sum(len(one.heard) for one in listening) < len(said):
                await asyncio.sleep(0.1)
        heard = {id: at for one in listening for id, at in one.heard.items()}
        real = sorted(heard[id] - at for id, at in said.items())
        for one in (*crowd, *speaking, *listening):
            one.cut()
    finally:
        here.kill()
        there.kill()
        if not redis.alive:
            await asyncio.to_thread(redis.start)
    return [
        ("Redis is away: half is heard after", (simulated.half, share(real, 0.5))),
        ("Redis is away: 95 of 100 are heard after", (simulated.nearly, share(real, 0.95))),
    ]

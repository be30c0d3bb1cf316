"""Messages that are stored: how many a second are acknowledged, and how long one waits at half of that.

Beside the product stands the usual way, one insert a message, behind the same servers and without any. Everything
that was acknowledged is looked for in the database, and everybody must have heard it once.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench.frame import Bench
from bench.people.account import everybody_heard, first_complaint
from bench.people.house import INSERT_LOG, ROOMS_LOG, TOPICS_LOG, House, Peer
from bench.people.person import Member, Person
from bench.people.spent import seconds as spent
from bench.people.talk import Talk
from bench.result import Parameters, Result, Values
from client import new_room
from servers.app import Server
from talkers import percentile

NAME = "durable"
SERVERS = ("Daphne", "uvicorn")
DISK, LOOP = "the disk: write 8 KiB and fdatasync", "insert in a loop, no server"
WARM_UP_SECONDS, SECONDS = 1.0, 4.0
QUICK_SECONDS = 2.0


@dataclass(frozen=True)
class Shape:
    """Each writer is in one room, with so many messages not yet acknowledged and heard; each room has a listener."""

    writers: int
    rooms: int
    in_flight: int

    def __str__(self) -> str:
        return f"{self.writers} writers in {self.rooms} rooms, {self.in_flight} in flight"

    def parameters(self, **more: int | float | str) -> Parameters:
        return {"writers": self.writers, "rooms": self.rooms, "in_flight": self.in_flight, **more}


SHAPES = [Shape(1, 1, 1), Shape(1, 1, 64), Shape(50, 1, 16), Shape(50, 50, 16)]
HALVED = SHAPES[2:]


@dataclass(frozen=True)
class Contender:
    name: str
    server: Server | Peer
    batch: bool = False
    speaks: type[Person] = Person
    log: str = ROOMS_LOG

    @property
    def numbered(self) -> bool:
        return isinstance(self.server, Server)

    def person(self, room: str, keeps: bool = False) -> Person:
        return self.speaks(room, batch=self.batch, keeps=keeps or not self.numbered, numbered=self.numbered)


async def run(bench: Bench) -> AsyncIterator[Result]:
    with House(bench) as house:
        for result in alone(bench, house):
            yield result
        contenders = started(bench, house)
        for shape in SHAPES:
            full = await interleaved(bench, house, contenders, shape, {})
            for contender, runs in full.items():
                yield Result.of(NAME, contender.name, shape.parameters(load="full"), runs)
            if shape in HALVED:
                half = await interleaved(bench, house, contenders, shape, halves(full))
                for contender, runs in half.items():
                    yield Result.of(NAME, contender.name, shape.parameters(load="half"), runs)


def alone(bench: Bench, house: House) -> Iterator[Result]:
    """What the disk can do, and one insert after the other with nothing around it."""
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    if bench.wants(DISK):
        yield Result.of(NAME, DISK, {}, [{"syncs_per_s": house.syncs_per_second()} for _ in range(bench.runs)])
    if bench.wants(LOOP):
        loops = [{"acked_per_s": house.insert_loop(seconds)} for _ in range(bench.runs)]
        yield Result.of(NAME, LOOP, {"writers": 1}, loops)


def started(bench: Bench, house: House) -> list[Contender]:
    """Those that are wanted; their servers run at the same time, and are busy in turn."""
    found = []
    for server in SERVERS:
        names = [f"rooms, {server}", f"rooms, {server}, batch"]
        if any(map(bench.wants, names)):
            rooms = house.started(house.rooms(server))
            found += [Contender(names[0], rooms), Contender(names[1], rooms, batch=True)]
        if bench.wants(name := f"topics, {server}"):
            found.append(Contender(name, house.started(house.halls(server)), speaks=Member, log=TOPICS_LOG))
        if bench.wants(name := f"one insert a message, {server}"):
            found.append(Contender(name, house.started(house.insert(server)), log=INSERT_LOG))
    return [one for one in found if bench.wants(one.name)]


def halves(full: dict[Contender, list[Values | str]]) -> dict[Contender, float]:
    """Messages a second, half of what each contender did at most; nobody who was refused."""
    results = {contender: Result.of("", "", {}, runs).values for contender, runs in full.items()}
    return {contender: values["acked_per_s"] / 2 for contender, values in results.items() if values}


async def interleaved(
    bench: Bench, house: House, contenders: Sequence[Contender], shape: Shape, rates: dict[Contender, float]
) -> dict[Contender, list[Values | str]]:
    """Each contender's runs, all contenders in turn; at their rates where there are any, else as fast as they can."""
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    results: dict[Contender, list[Values | str]] = {one: [] for one in rates or contenders}
    for _ in range(bench.runs):
        for contender, runs in results.items():
            bench.say(f"durable: {contender.name}, {shape}{' at half load' if rates else ''}")
            runs.append(await one_run(house, contender, shape, seconds, rates.get(contender)))
    return results


async def one_run(house: House, contender: Contender, shape: Shape, seconds: float, rate: float | None) -> Values | str:
    rooms = [new_room("durable") for _ in range(shape.rooms)]
    writers = [contender.person(rooms[number % len(rooms)]) for number in range(shape.writers)]
    people = [*writers, *(contender.person(room, keeps=True) for room in rooms)]
    gc.collect()
    async with AsyncExitStack() as stack:
        for person in people:
            await person.enter(contender.server.ws_url)
            stack.push_async_callback(person.leave)
        talk = Talk(people)
        if rate is None:
            talk.begin(writers, shape.in_flight)
        else:
            talk.begin_at_rate(writers, rate)
        try:
            values = await measured(house, contender, talk, seconds)
            await talk.end()
        except TimeoutError:
            wrong = [words for person in people for words in person.wrong]
            return f"{talk.under_way} of {len(talk.said)} without an ack; {wrong[:3]}"
        logs = house.logs(rooms, contender.log)
        await everybody_heard(logs, people)
        return first_complaint(logs, talk.said, talk.acked, people) or values


async def measured(house: House, contender: Contender, talk: Talk, seconds: float) -> Values:
    await asyncio.sleep(WARM_UP_SECONDS)
    talk.forget_times()
    before, began = used(house, contender), time.perf_counter()
    await asyncio.sleep(seconds)
    passed, after = time.perf_counter() - began, used(house, contender)
    acks, deliveries, late = map(sorted, (talk.ack_seconds, talk.deliver_seconds, talk.late_seconds))
    if not acks or not deliveries:
        raise TimeoutError
    server, postgres = (now - then for now, then in zip(after, before, strict=True))
    return {
        "acked_per_s": len(acks) / passed,
        "ack_p50_ms": percentile(acks, 50) * 1000,
        "ack_p99_ms": percentile(acks, 99) * 1000,
        "deliver_p50_ms": percentile(deliveries, 50) * 1000,
        "deliver_p99_ms": percentile(deliveries, 99) * 1000,
        **({"late_p99_ms": percentile(late, 99) * 1000} if late else {}),
        "deliveries_per_s": len(deliveries) / passed,
        "server_us_per_ack": server / len(acks) * 1e6,
        "postgres_us_per_ack": postgres / len(acks) * 1e6,
        "server_cores": server / passed,
    }


def used(house: House, contender: Contender) -> tuple[float, float]:
    """CPU seconds of the server and of Postgres."""
    return spent(contender.server.pid), spent(house.around.postgres.pid)

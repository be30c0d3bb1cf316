"""Messages that are stored: how many a second are acknowledged, and how long one waits at half of that.

Beside the product stands the usual way, one insert a message, behind the same servers and without any. Everything
that was acknowledged is looked for in the database, and everybody must have heard it once.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench.frame import Bench
from bench.people.account import complaint
from bench.people.house import House, Peer
from bench.people.person import Person
from bench.people.spent import seconds as spent
from bench.people.talk import Talk, until
from bench.result import Parameters, Result, Values
from client import new_room
from servers.app import Server
from talkers import percentile

NAME = "durable"
SERVERS = ("Daphne", "uvicorn")
WARM_UP_SECONDS, SECONDS = 1.0, 5.0
QUICK_SECONDS = 2.0


@dataclass(frozen=True)
class Shape:
    """Each writer is in one room, with so many messages under way; each room has a listener besides."""

    writers: int
    rooms: int
    in_flight: int

    def parameters(self, **more: int | float | str) -> Parameters:
        return {"writers": self.writers, "rooms": self.rooms, "in_flight": self.in_flight, **more}


SHAPES = [Shape(1, 1, 1), Shape(1, 1, 64), Shape(50, 1, 16), Shape(50, 50, 16)]
HALVED = SHAPES[2:]


@dataclass(frozen=True)
class Contender:
    name: str
    server: Server | Peer
    batch: bool = False

    @property
    def numbered(self) -> bool:
        return isinstance(self.server, Server)


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


def alone(bench: Bench, house: House) -> list[Result]:
    """What the disk can do, and one insert after the other with nothing around it."""
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    syncs: list[Values | str] = [{"syncs_per_s": house.syncs_per_second()} for _ in range(bench.runs)]
    loops: list[Values | str] = [{"acked_per_s": house.insert_loop(seconds)} for _ in range(bench.runs)]
    return [
        Result.of(NAME, "the disk: write 8 KiB and fdatasync", {}, syncs),
        Result.of(NAME, "insert in a loop, no server", {"writers": 1}, loops),
    ]


def started(bench: Bench, house: House) -> list[Contender]:
    """Those that are wanted; their servers run at the same time, and are busy in turn."""
    found = []
    for server in SERVERS:
        names = [f"rooms, {server}", f"rooms, {server}, batch", f"one insert a message, {server}"]
        if any(map(bench.wants, names[:2])):
            rooms = house.started(house.rooms(server))
            found += [Contender(names[0], rooms), Contender(names[1], rooms, batch=True)]
        if bench.wants(names[2]):
            found.append(Contender(names[2], house.started(house.insert(server))))
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
            runs.append(await one_run(house, contender, shape, seconds, rates.get(contender)))
    return results


async def one_run(
    house: House, contender: Contender, shape: Shape, seconds: float, rate: float | None
) -> Values | str:
    rooms = [new_room("durable") for _ in range(shape.rooms)]
    async with AsyncExitStack() as stack:
        writers = [make(contender, rooms[number % len(rooms)]) for number in range(shape.writers)]
        people = [*writers, *(make(contender, room, keeps=True) for room in rooms)]
        for person in people:
            await person.enter(contender.server.ws_url)
            stack.push_async_callback(person.leave)
        talk = Talk(people)
        try:
            values = await measured(house, contender, talk, writers, shape, seconds, rate)
            return await wrong(house, contender, talk, people) or values
        except (TimeoutError, ConnectionError) as error:
            complaints = [words for person in people for words in person.wrong][:3]
            return f"{type(error).__name__} with {talk.under_way} messages without an ack; {complaints}"


def make(contender: Contender, room: str, keeps: bool = False) -> Person:
    keeps = keeps or not contender.numbered
    return Person(room, batch=contender.batch, keeps=keeps, numbered=contender.numbered)


async def measured(
    house: House, contender: Contender, talk: Talk, writers: list[Person], shape: Shape, seconds: float, rate: float | None
) -> Values:
    gc.collect()
    gc.disable()
    try:
        if rate is None:
            talk.begin(writers, shape.in_flight)
        else:
            talking = asyncio.create_task(talk.at_rate(writers, rate, WARM_UP_SECONDS + seconds))
        await asyncio.sleep(WARM_UP_SECONDS)
        talk.forget_times()
        loop = asyncio.get_running_loop()
        before, began = used(house, contender), loop.time()
        await asyncio.sleep(seconds)
        passed, after, acks, deliveries = (
            loop.time() - began,
            used(house, contender),
            sorted(talk.ack_seconds),
            sorted(talk.deliver_seconds),
        )
        await (talk.end() if rate is None else talking)
    finally:
        gc.enable()
    server, postgres = (then - now for then, now in zip(after, before, strict=True))
    return {
        "acked_per_s": len(acks) / passed,
        "ack_p50_ms": percentile(acks, 50) * 1000,
        "ack_p99_ms": percentile(acks, 99) * 1000,
        "deliver_p50_ms": percentile(deliveries, 50) * 1000,
        "deliver_p99_ms": percentile(deliveries, 99) * 1000,
        "deliveries_per_s": len(deliveries) / passed,
        "server_us_per_ack": server / len(acks) * 1e6,
        "postgres_us_per_ack": postgres / len(acks) * 1e6,
        "server_cores": server / passed,
    }


def used(house: House, contender: Contender) -> tuple[float, float]:
    """CPU seconds of the server and of Postgres."""
    return spent(contender.server.pid), spent(house.around.postgres.pid)


async def wrong(house: House, contender: Contender, talk: Talk, people: list[Person]) -> str:
    """The first room's complaint, once everybody has had the time to hear everything."""
    logs = house.logs(numbered=contender.numbered, rooms={person.room for person in people})
    try:
        await until(lambda: all(person.count >= len(logs[person.room]) for person in people))
    except TimeoutError:
        pass
    for room, log in logs.items():
        said = {id: there for id, there in talk.said.items() if there == room}
        acked = {id: seq for id, seq in talk.acked.items() if id in said}
        here = [person for person in people if person.room == room]
        if words := complaint(log, acked, said, here, numbered=contender.numbered):
            return words
    return ""

"""What can go wrong. Each fault is over, and what it broke runs again, when it returns."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psycopg

from apps.polls.topics import OPTIONS
from crowd import Regular
from hints import Event, event, layer, store, store_in_room
from servers.app import Server
from servers.line import Line
from servers.process import Process
from servers.stack import Stack


@dataclass
class Scene:
    """The stack, and whoever talks meanwhile in its rooms and topics. `lines` lead some of them to its nginx."""

    stack: Stack
    rooms: list[str]
    people: list[Regular]
    lines: list[Line] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)


Fault = Callable[[Scene], Awaitable[None]]


async def none(scene: Scene) -> None:
    await asyncio.sleep(3)


async def redis_dies(scene: Scene) -> None:
    await dies(scene.stack.redis, seconds=2)


async def redis_stands_still(scene: Scene) -> None:
    await stands_still(scene.stack.redis, seconds=10)


async def postgres_dies(scene: Scene) -> None:
    await dies(scene.stack.postgres, seconds=2)


async def postgres_stands_still(scene: Scene) -> None:
    await stands_still(scene.stack.postgres, seconds=6)


async def a_room_and_a_topic_are_locked(scene: Scene) -> None:
    async with await psycopg.AsyncConnection.connect(scene.stack.database.url) as other:
        for name in (
            f"room/{scene.chance.choice(some(scene, topics=False))}",
            scene.chance.choice(some(scene, topics=True)),
        ):
            await other.execute("SELECT 1 FROM topics_log WHERE name = %s FOR UPDATE", [name])
        await asyncio.sleep(5)


async def a_ws_process_dies(scene: Scene) -> None:
    await dies(scene.chance.choice(scene.stack.ws), seconds=1)


async def a_ws_process_stands_still(scene: Scene) -> None:
    await stands_still(scene.chance.choice(scene.stack.ws), seconds=5)


async def a_ws_process_leaves(scene: Scene) -> None:
    process = scene.chance.choice(scene.stack.ws)
    await leaves(process)
    await asyncio.to_thread(process.start)


async def all_ws_processes_leave(scene: Scene) -> None:
    await asyncio.gather(*map(leaves, scene.stack.ws))
    for process in scene.stack.ws:
        process.launch()
    for process in scene.stack.ws:
        await asyncio.to_thread(process.wait_ready)


async def all_ws_processes_die(scene: Scene) -> None:
    await asyncio.gather(*(dies(process, seconds=0.5) for process in scene.stack.ws))


async def nginx_reloads(scene: Scene) -> None:
    scene.stack.nginx.reload()
    await asyncio.sleep(2)


async def nginx_dies(scene: Scene) -> None:
    await dies(scene.stack.nginx, seconds=0.5)


async def lines_are_cut(scene: Scene) -> None:
    for _ in range(8):
        scene.chance.choice(scene.lines).cut()
        await asyncio.sleep(0.4)


async def lines_stall(scene: Scene) -> None:
    for line in scene.lines:
        line.stall()
    await asyncio.sleep(6)
    for line in scene.lines:
        line.flow()


async def lines_are_slow(scene: Scene) -> None:
    for line in scene.lines:
        line.bytes_per_second = 5_000
    await asyncio.sleep(5)
    for line in scene.lines:
        line.bytes_per_second = 0


async def a_process_dies_between_commit_and_publish(scene: Scene) -> None:
    """Several times, and each time in another room."""
    for _ in range(5):
        await unheard_of(scene)
        await asyncio.sleep(scene.chance.uniform(0, 1))


async def hints_come_twice_and_in_the_wrong_order(scene: Scene) -> None:
    async with layer(scene.stack) as outside:
        for _ in range(10):
            topic, events = await unheard_of(scene)
            log = await asyncio.to_thread(scene.stack.database.events, topic)
            epoch = str(events[0]["epoch"])
            hints = [*events, *(event(topic, epoch, *entry, "nobody") for entry in log[-20:])]
            scene.chance.shuffle(hints)
            await outside.publish(topic, hints)
            await asyncio.sleep(0.3)


async def unheard_of(scene: Scene) -> tuple[str, list[Event]]:
    """Three messages or events that are stored and not published, said in the name of one of the people."""
    room, stack = scene.chance.choice(scene.rooms), scene.stack
    if "/" in room:
        topic, put, what = room, store, 3 * [{"option": OPTIONS[0]}]
    else:
        topic, put, what = f"room/{room}", store_in_room, ["stored", "and", "unheard of"]
    events, ids = await asyncio.to_thread(put, stack, room, what)  # type: ignore[arg-type]
    next(one for one in scene.people if one.room == room).said |= set(ids)
    return topic, events


def some(scene: Scene, *, topics: bool) -> list[str]:
    """Those of the scene's rooms that are topics, or that are none."""
    return [room for room in scene.rooms if ("/" in room) is topics]


async def dies(process: Process, seconds: float) -> None:
    await asyncio.to_thread(process.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(process.start)


async def stands_still(process: Process, seconds: float) -> None:
    process.pause()
    await asyncio.sleep(seconds)
    process.resume()


async def leaves(process: Server) -> None:
    process.signal(signal.SIGTERM)
    code = await asyncio.to_thread(process.wait_end, 20)
    assert code == 0, f"{process.name} left with {code}"


FAULTS: dict[str, Fault] = {
    "nothing": none,
    "Redis dies and is empty": redis_dies,
    "Redis stands still 10 s": redis_stands_still,
    "Postgres dies": postgres_dies,
    "Postgres stands still 6 s": postgres_stands_still,
    "rows are locked 5 s": a_room_and_a_topic_are_locked,
    "a ws process dies": a_ws_process_dies,
    "all ws processes die": all_ws_processes_die,
    "a ws process stands still 5 s": a_ws_process_stands_still,
    "a ws process leaves": a_ws_process_leaves,
    "all ws processes leave": all_ws_processes_leave,
    "nginx reloads": nginx_reloads,
    "nginx dies": nginx_dies,
    "lines are cut": lines_are_cut,
    "lines stall 6 s": lines_stall,
    "lines are slow": lines_are_slow,
    "stored, never published": a_process_dies_between_commit_and_publish,
    "hints twice, out of order": hints_come_twice_and_in_the_wrong_order,
}

"""People come, talk and go, again and again: once nobody is there, everything is as it was when nobody was there yet.

The base line is taken after some rounds, by when everything has been needed once. People of each round are new ones, in
rooms and topics that stay and in others that nobody enters again. Most are cut off, passers-by say goodbye.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

import client
from client import new_id, new_room
from crowd import Regular, chat, enter, settled
from regulars import OnSocket, OnStream
from servers.app import FOREIGN_APP, Image
from servers.ports import free_port
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from torture.bounds import Held, grown, held
from visitor import Visitor, room_page

PEOPLE: Final = 120  # a round: half in rooms, a quarter each on a topic's sockets and its streams
STAYING: Final = 3  # rooms and topics that each round has, beside as many of its own
ROUND_SECONDS: Final = 10  # of talk
PER_SECOND: Final = 1.0  # that each of the speakers says
SPEAKERS: Final = 40
PASSERS_BY: Final = 20  # who look at a page, say something by its form, and listen for a moment
WARM_UP: Final = 3  # rounds before the base line
QUIET_SECONDS: Final = 40.0  # by when whoever was cut off has gone everywhere, and whatever was kept for a return
SETTLE_SECONDS: Final = 120.0  # more, on a busy machine


@dataclass
class Soak:
    """What came of it."""

    rounds: int = 0
    visits: int = 0
    acked: int = 0
    broken: list[str] = field(default_factory=list)
    before: Held = field(default_factory=dict)
    after: Held = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)  # seconds, who is there, and what is held


def watched(postgres: Postgres) -> Stack:
    """A stack whose processes tell their numbers."""
    stack = Stack(Image(), postgres, SERVERS, **FOREIGN_APP)
    for process in stack.ws:
        process.env = {**(process.env or {}), "METRICS_PORT": str(free_port())}
    return stack


async def soak(stack: Stack, seconds: float) -> Soak:
    """WARM_UP rounds more than fit into the seconds."""
    result, rooms, topics = Soak(), *places(STAYING)
    began = time.monotonic()
    for _ in range(WARM_UP):
        await one_round(stack, rooms, topics, result, began)
    await asyncio.sleep(QUIET_SECONDS)
    result.before = note(result, began, 0, await asyncio.to_thread(held, stack))
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        await one_round(stack, rooms, topics, result, began)
    await asyncio.sleep(QUIET_SECONDS)
    settled_by = time.monotonic() + SETTLE_SECONDS
    while True:
        result.after = note(result, began, 0, await asyncio.to_thread(held, stack))
        too_much = grown(result.before, result.after)
        if not too_much or time.monotonic() > settled_by:
            break
        await asyncio.sleep(5)
    result.broken += too_much
    return result


def places(count: int) -> tuple[list[str], list[str]]:
    return [new_room("soak") for _ in range(count)], [f"votes/open-{new_id()}" for _ in range(count)]


async def one_round(stack: Stack, rooms: list[str], topics: list[str], result: Soak, began: float) -> None:
    own_rooms, own_topics = places(STAYING)
    people: list[Regular] = []
    try:
        for kind, names, count in (
            (Regular, rooms + own_rooms, PEOPLE // 2),
            (OnSocket, topics + own_topics, PEOPLE // 4),
            (OnStream, topics + own_topics, PEOPLE // 4),
        ):
            people += await enter([stack.ws_url], names, count, kind)
        over = asyncio.Event()
        chatting = asyncio.create_task(chat(over, people[:: len(people) // SPEAKERS], PER_SECOND))
        await asyncio.gather(*(pass_by(stack, rooms[0]) for _ in range(PASSERS_BY)))
        await asyncio.sleep(ROUND_SECONDS)
        note(result, began, len(people), await asyncio.to_thread(held, stack))
        over.set()
        await chatting
        # Who enters a room in which something was said before sees its end only: those of this round alone have it all.
        account = await settled(stack, [one for one in people if one.room in own_rooms + own_topics])
    finally:
        await asyncio.gather(*(one.leave() for one in people))
    result.rounds += 1
    result.visits += sum(one.dials for one in people) + PASSERS_BY
    result.acked += sum(len(one.acked) for one in people)
    if not account.faultless:
        result.broken.append(f"round {result.rounds}: {account}")
    print(f"round {result.rounds}: {account.acked} acked, {time.monotonic() - began:.0f} s", flush=True)


async def pass_by(stack: Stack, room: str) -> None:
    visitor = Visitor(stack.base_url)
    await asyncio.to_thread(visitor.post, room_page(room), {"body": "by form"})
    async with await client.enter(stack.ws_url, room, headers=visitor.cookies) as socket:
        await socket.pong()


def note(result: Soak, began: float, people: int, now: Held) -> Held:
    result.samples.append({"seconds": round(time.monotonic() - began), "people": people, **now})
    return now


def show(result: Soak) -> None:
    """Before, at most while people were there, and after."""
    print(f"\n{result.rounds} rounds, {result.visits} visits, {result.acked} acked")
    print(f"{'':44}{'before':>12}{'at most':>12}{'after':>12}")
    for name, after in result.after.items():
        most = max(sample[name] for sample in result.samples if name in sample)
        if most:
            print(f"{name:44}{result.before.get(name, 0):>12g}{most:>12g}{after:>12g}")

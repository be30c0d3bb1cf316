"""People talk while one fault follows another, and accounts are settled after each.

They do so in rooms, and in topics of a foreign app: over sockets, by streams and posts, and by appending in Python.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from client import new_id, new_room
from crowd import Regular, chat, enter, settled
from faults import FAULTS, Scene
from ledger import PATIENCE, Account, everybody_read
from regulars import OnSocket, OnStream, clerk, told_to
from servers.line import Line
from servers.stack import Stack

ROOMS = 3
TOPICS = 3
PEOPLE = 12  # in the rooms; in the topics half as many over sockets, and a quarter in each other way
LINES = 2  # half of the people come by them
PER_SECOND = 8  # that each says
CALM_SECONDS = 1.0  # before a fault
HEAL_SECONDS = 30.0  # a fault that is felt for longer is a broken promise


@dataclass
class Row:
    """What all rounds of one fault came to."""

    fault: str
    rounds: int = 0
    acked: int = 0
    lost: int = 0  # acknowledged and not in the log
    doubled: int = 0  # twice in the log
    out_of_order: int = 0  # numbers that did not follow the one before, resumes refused
    unread: int = 0  # people who did not read exactly the log
    other: int = 0  # what else a server must not do
    heal_seconds: list[float] = field(default_factory=list)  # from its end until everybody has spoken and read

    @property
    def faultless(self) -> bool:
        wrong = self.lost or self.doubled or self.out_of_order or self.unread or self.other
        return not wrong and max(self.heal_seconds, default=0) < HEAL_SECONDS


async def storm(stack: Stack, seconds: float, chance: random.Random) -> list[Row]:
    """One row for each fault that had its turn; each round is printed as well."""
    rows: dict[str, Row] = {}
    rooms, topics = [new_room("storm") for _ in range(ROOMS)], [f"votes/open-{new_id()}" for _ in range(TOPICS)]
    async with AsyncExitStack() as open_lines, clerk(stack) as one_who_appends:
        lines = [await open_lines.enter_async_context(Line(stack.nginx.port)) for _ in range(LINES)]
        bases = [*(line.ws_url for line in lines), *(LINES * [stack.ws_url])]
        people = await enter(bases, rooms, PEOPLE)
        for kind, count in ((OnSocket, PEOPLE // 2), (OnStream, PEOPLE // 4), (told_to(one_who_appends), PEOPLE // 4)):
            for topic in topics:
                people += await enter(bases, [topic], -(-count // TOPICS), kind)
        scene = Scene(stack, [*rooms, *topics], people, lines, chance)
        try:
            account, complaints = await settled(stack, scene.people), 0
            for name in until(time.monotonic() + seconds, drawn(chance)):
                row = rows.setdefault(name, Row(name))
                row.heal_seconds.append(await one_round(scene, name))
                before, account = account, await settled(stack, scene.people)
                all_complaints = [complaint for one in scene.people for complaint in one.wrong]
                add(row, account, before, len(all_complaints) - complaints)
                complaints = len(all_complaints)
                print(f"{name}: {account.acked - before.acked} acked, healed in {row.heal_seconds[-1]} s", flush=True)
        finally:
            await asyncio.gather(*(one.leave() for one in scene.people))
    return [rows[name] for name in FAULTS if name in rows]


async def one_round(scene: Scene, name: str) -> float:
    """Seconds from the fault's end until all is well; PATIENCE where it did not get well."""
    over = asyncio.Event()
    chatting = asyncio.create_task(chat(over, scene.people, PER_SECOND))
    try:
        await asyncio.sleep(CALM_SECONDS)
        await FAULTS[name](scene)
        began = time.monotonic()
        await asyncio.gather(*(one.say("Is everybody well?") for one in scene.people))
        await everybody_in_each_room_read(scene.people)
        healed = time.monotonic() - began
        over.set()
        await chatting
    except Exception as error:  # the other faults have their turn all the same
        print(f"{name}: {type(error).__name__} {error}")
        return PATIENCE
    finally:
        chatting.cancel()
        await asyncio.to_thread(scene.stack.mend)
    return round(healed, 2)


async def everybody_in_each_room_read(people: list[Regular]) -> None:
    """What was acknowledged by now."""
    last: dict[str, int] = {}
    for one in people:
        last[one.room] = max(last.get(one.room, 0), *one.acked.values())
    for room, seq in last.items():
        await everybody_read([one for one in people if one.room == room], seq)


def add(row: Row, account: Account, before: Account, complaints: int) -> None:
    """What is new since the account before is this fault's."""
    row.rounds += 1
    row.acked += account.acked - before.acked
    row.lost += account.lost - before.lost
    row.doubled += account.doubled - before.doubled
    row.unread += max(0, account.unread - before.unread)
    row.out_of_order += complaints
    row.other += account.holes - before.holes + account.unsaid - before.unsaid
    if complaints:
        print(f"{row.fault}: {account.wrong[-3:]}")


def drawn(chance: random.Random) -> Iterator[str]:
    """All faults in random order, again and again."""
    while True:
        yield from chance.sample(list(FAULTS), len(FAULTS))


def until(end: float, names: Iterator[str]) -> Iterator[str]:
    while time.monotonic() < end:
        yield next(names)

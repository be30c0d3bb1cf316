"""One visit to each contender in each run, so that whatever drifts meanwhile hits all alike.

Three thousand sockets come into one room, are weighed, hear as much as goes through, and leave in two steps, so
that the same is asked with a thousand and with two hundred; then come five hundred rooms of four.
"""

import time
from collections.abc import AsyncIterator

from bench.contenders import BARE, OURS, PEERS
from bench.contenders.contender import Contender
from bench.frame import Bench
from bench.load.driver import Failed, Load
from bench.notes import Notes
from bench.result import Result
from bench.scenarios.steps.fanout import fanout
from bench.scenarios.steps.idle import idle
from bench.scenarios.steps.memory import memory
from bench.scenarios.steps.paced import paced
from bench.scenarios.steps.small_rooms import small_rooms
from bench.scenarios.steps.visitor import Visitor

ROOM = "hall"
BATCH = ", batch"  # which is the same as long as nobody says anything


async def run(bench: Bench) -> AsyncIterator[Result]:
    notes = Notes()
    contenders = [*PEERS, *OURS, *(BARE if bench.asks("memory") or bench.asks("idle") else [])]
    wanted = [contender for contender in contenders if bench.wants(contender.name)]
    for number in range(1, bench.runs + 1):
        for contender in wanted:
            began = time.monotonic()
            bench.say(f"run {number} of {bench.runs}: {contender.name}")
            await visit(bench, contender, notes)
            bench.say(f"  {time.monotonic() - began:.1f} s")
    for result in notes.results():
        yield result


async def visit(bench: Bench, contender: Contender, notes: Notes) -> None:
    """Whoever could not be visited is visited once more: a port may be taken, or a machine busy."""
    for _ in range(2):
        found = Notes()
        try:
            await try_to_visit(bench, contender, found)
        except (Failed, RuntimeError) as error:
            failure = f"the visit to {contender.name} ended early: {error}"
            bench.say(failure)
        else:
            notes.take_over(found)
            return
    bench.failures.append(failure)
    notes.take_over(found)


async def try_to_visit(bench: Bench, contender: Contender, notes: Notes) -> None:
    with bench.serving(contender) as serving:
        async with Load(bench.load_core) as load:
            try:
                await steps(Visitor(bench, serving, load, notes), contender in BARE)
            except Failed as failed:
                raise Failed(f"{failed}\n{serving.process.output()[-2000:]}") from failed


async def steps(visitor: Visitor, idle_only: bool) -> None:
    bench = visitor.bench
    await visitor.meet([ROOM])
    if bench.asks("memory"):
        await memory(visitor)
    if bench.asks("idle") and not visitor.serving.contender.name.endswith(BATCH):
        await idle(visitor)
    if idle_only:
        return
    if bench.asks("fanout"):
        await fanout(visitor)
    if bench.asks("paced"):
        await paced(visitor)
    await visitor.resize(0)
    if bench.asks("small-rooms") or bench.asks("lone"):
        await small_rooms(visitor)

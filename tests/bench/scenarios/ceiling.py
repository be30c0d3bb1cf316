"""What the load itself can hear: from a server that does nothing but send the same bytes to everybody."""

from collections.abc import AsyncIterator

from bench.contenders import CEILING
from bench.frame import Bench
from bench.load.driver import Load
from bench.notes import Notes
from bench.result import Result
from bench.scenarios.steps.fanout import fanout
from bench.scenarios.steps.visitor import Visitor

IN_FLIGHT = (8, 64, 512)


async def run(bench: Bench) -> AsyncIterator[Result]:
    notes = Notes()
    for number in range(1, bench.runs + 1):
        bench.say(f"run {number} of {bench.runs}: the load's own ceiling")
        with bench.serving(CEILING) as serving:
            async with Load(bench.load_core) as load:
                visitor = Visitor(bench, serving, load, notes)
                await visitor.meet(["hall"])
                await fanout(visitor, "ceiling", IN_FLIGHT)
    for result in notes.results():
        yield result

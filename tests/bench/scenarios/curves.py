"""The same work at 1, 2, 4 and 8 times the members, the rooms, the rate, and the rooms where nothing happens.

What is counted is the server's CPU time in a second at a fixed rate. What causes it should cost in proportion
(an exponent of 1, or less where a share is fixed), and quiet rooms should cost nothing (0).
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from bench.contenders import OURS
from bench.contenders.contender import Contender
from bench.exponent import exponent
from bench.frame import Bench
from bench.load.driver import Failed, Load
from bench.notes import Notes
from bench.result import Result, Values
from bench.scenarios.steps.visitor import QUICK_SECONDS, SECONDS, Visitor

FACTORS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Work:
    """So many messages a second, spread over rooms of so many members each, beside quiet rooms of one."""

    members: int = 50
    rooms: int = 1
    messages_per_s: int = 100
    quiet_rooms: int = 0

    def places(self, name: str) -> list[str]:
        """Those of more work begin with those of less, if it is more of one kind."""
        busy = [f"{name}{room}" for room in range(self.rooms) for _ in range(self.members)]
        return busy + [f"{name}quiet{room}" for room in range(self.quiet_rooms)]


CURVES: dict[str, Callable[[int], Work]] = {
    "members": lambda factor: Work(members=50 * factor),
    "rooms": lambda factor: Work(members=4, rooms=50 * factor, messages_per_s=100 * factor),
    "rate": lambda factor: Work(messages_per_s=50 * factor),
    "quiet rooms": lambda factor: Work(quiet_rooms=200 * factor),
}


async def run(bench: Bench) -> AsyncIterator[Result]:
    notes = Notes()
    wanted = [contender for contender in OURS if not contender.batch and bench.wants(contender.name)]
    for number in range(1, bench.runs + 1):
        for contender in wanted:
            bench.say(f"run {number} of {bench.runs}: curves of {contender.name}")
            await visit(bench, contender, notes)
    for result in notes.results():
        yield result


async def visit(bench: Bench, contender: Contender, notes: Notes) -> None:
    with bench.serving(contender) as serving:
        async with Load(bench.load_core) as load:
            visitor = Visitor(bench, serving, load, notes)
            for number, curve in enumerate(CURVES):
                visitor.note("curves", {"grows": curve}, await measured(visitor, CURVES[curve], f"curve{number}x"))


async def measured(visitor: Visitor, work_at: Callable[[int], Work], name: str) -> Values | str:
    """CPU seconds a second at each factor, and the exponent."""
    costs: Values = {}
    await visitor.meet(work_at(FACTORS[-1]).places(name))
    for factor in FACTORS:
        try:
            costs[f"cpu_s_at_{factor}"] = await cost(visitor, work_at(factor), name)
        except Failed as failed:
            return f"at {factor} times: {failed}"
    await visitor.resize(0)
    return costs | {"exponent": exponent(FACTORS, list(costs.values()))}


async def cost(visitor: Visitor, work: Work, name: str) -> float:
    """The server's CPU seconds for a second of this work. Raises Failed."""
    await visitor.resize(len(work.places(name)))
    seconds = QUICK_SECONDS if visitor.bench.quick else SECONDS
    senders = {"senders": work.rooms, "every": work.members} if work.rooms > 1 else {"senders": 4}
    values = await visitor.load.paced(visitor.serving.pids, per_second=work.messages_per_s, seconds=seconds, **senders)
    if isinstance(values, str):
        raise Failed(values)
    return values["cpu_s"] / seconds

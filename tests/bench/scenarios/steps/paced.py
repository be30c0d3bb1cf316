"""A room of two hundred at fixed rates: how long a message takes to everybody."""

from bench.load.driver import Failed
from bench.result import NOT_ASKED, Values
from bench.scenarios.steps.fanout import SENDERS
from bench.scenarios.steps.visitor import QUICK_SECONDS, SECONDS, Visitor

SOCKETS = 200
MESSAGES_PER_S = (10, 100, 300, 1_000)
MESSAGES, MOST_SECONDS = 150, 2.4  # at least so many, but not for longer
BEARABLE = 0.9  # of what went through at most; beyond it there is only a queue that grows


async def paced(visitor: Visitor) -> None:
    await visitor.resize(SOCKETS)
    if not visitor.capacity:
        flooded = await visitor.flood(in_flight=64, senders=SENDERS)
        visitor.capacity = 0.0 if isinstance(flooded, str) else flooded["deliveries_per_s"]
    for per_second in MESSAGES_PER_S:
        parameters = {"sockets": SOCKETS, "messages_per_s": per_second}
        if per_second * SOCKETS > visitor.capacity * BEARABLE:
            visitor.note("paced", parameters, f"{NOT_ASKED}too much")
        else:
            visitor.note("paced", parameters, await at_rate(visitor, per_second))


async def at_rate(visitor: Visitor, per_second: float) -> Values | str:
    seconds = QUICK_SECONDS if visitor.bench.quick else max(SECONDS, min(MESSAGES / per_second, MOST_SECONDS))
    try:
        return await visitor.load.paced(visitor.serving.pids, per_second=per_second, senders=SENDERS, seconds=seconds)
    except Failed as failed:
        return str(failed)

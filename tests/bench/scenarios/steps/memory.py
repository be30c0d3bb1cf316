"""What an idle socket costs in resident memory: the slope between a thousand and three thousand."""

import asyncio

from bench import usage
from bench.scenarios.steps.visitor import Visitor

FEW, MANY = 1_000, 3_000
SETTLE_SECONDS = 0.6  # beyond being quiet, for what is told once a second


async def memory(visitor: Visitor) -> None:
    few = await occupied(visitor, FEW)
    many = await occupied(visitor, MANY)
    server, redis = ((after - before) / (MANY - FEW) for before, after in zip(few, many, strict=True))
    values = {"kb_per_socket": server, "mb_in_all": many[0] / 1024, "redis_kb_per_socket": redis}
    visitor.note("memory", {"sockets": MANY}, values)


async def occupied(visitor: Visitor, sockets: int) -> tuple[float, float]:
    """KB of the server's processes and of Redis, with so many idle sockets."""
    await visitor.resize(sockets)
    await asyncio.sleep(SETTLE_SECONDS)
    return usage.memory_kb(visitor.serving.pids), visitor.bench.surroundings.redis_kb()

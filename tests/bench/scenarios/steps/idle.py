"""What sockets cost on which nobody says anything: processor time, pings and all, and what the kernel keeps."""

import asyncio

from bench import usage
from bench.scenarios.steps.visitor import Visitor

FEW, MANY = 1_000, 3_000
ROUND_SECONDS, QUICK_SECONDS = 40.0, 5.0  # two of our rounds of pings; Socket.IO's take 25 s
ENDS = 2  # of a connection are here, and each has its part in the kernel


async def idle(visitor: Visitor) -> None:
    await visitor.resize(FEW)
    few = usage.kernel_kb()
    await visitor.resize(MANY)
    kernel = (usage.kernel_kb() - few) / (MANY - FEW) / ENDS
    seconds = QUICK_SECONDS if visitor.bench.quick else ROUND_SECONDS
    before = usage.cpu_seconds(visitor.serving.pids)
    await asyncio.sleep(seconds)
    used = usage.cpu_seconds(visitor.serving.pids) - before
    values = {"cpu_us_per_socket_and_s": used / seconds / MANY * 1e6, "kernel_kb_per_socket": kernel}
    visitor.note("idle", {"sockets": MANY}, values)

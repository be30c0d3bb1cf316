"""At a fixed rate, and one at a time: how long a message takes from its sender to everybody."""

import asyncio
import time

from bench import usage
from bench.load.crowd import Crowd
from bench.load.flood import SILENCE_SECONDS


async def paced(
    crowd: Crowd, pids: list[int], *, per_second: float, senders: int, seconds: float, every: int = 1
) -> dict[str, float | str]:
    """The senders, the first sockets or every so manyth, keep to their times whatever comes back.

    What is said late has waited since its moment. `late_ms` is how far they were behind, 99 times in 100.
    """
    people = list(enumerate(crowd.sockets[::every][:senders]))
    crowd.begin(stamped=True)
    sent: dict[int, float] = {}
    late: list[float] = []
    began, cpu = time.perf_counter(), usage.cpu_seconds(pids)
    for turn in range(round(per_second * seconds)):
        moment = began + turn / per_second
        if (early := moment - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        late.append(time.perf_counter() - moment)
        index, sender = people[turn % senders]
        sent[crowd.say(sender, index)] = moment
    fault = await crowd.hear_out(SILENCE_SECONDS)
    if fault:
        return {"refused": fault}
    cpu, deliveries = usage.cpu_seconds(pids) - cpu, crowd.delivered()
    return latencies(crowd, sent) | {
        "late_ms": percentile(sorted(late), 99) * 1000,
        "deliveries": deliveries,
        "cpu_s": cpu,
        "cpu_us_per_delivery": cpu / deliveries * 1e6,
    }


async def lone(crowd: Crowd, *, messages: int, pause_seconds: float) -> dict[str, float | str]:
    """Nobody else says anything in the room; the first socket's room hears one message after the other."""
    crowd.begin(stamped=True)
    sent: dict[int, float] = {}
    for _ in range(messages):
        await asyncio.sleep(pause_seconds)
        now = time.perf_counter()
        sent[crowd.say(crowd.sockets[0], 0)] = now
    fault = await crowd.hear_out(SILENCE_SECONDS)
    return {"refused": fault} if fault else latencies(crowd, sent)


def latencies(crowd: Crowd, sent: dict[int, float]) -> dict[str, float | str]:
    taken = sorted(
        stamp - sent[number]
        for socket in crowd.sockets
        for numbers, stamp in zip(socket.heard, socket.stamps or (), strict=True)
        for number in numbers
    )
    return {
        "p50_ms": percentile(taken, 50) * 1000,
        "p99_ms": percentile(taken, 99) * 1000,
        "max_ms": taken[-1] * 1000,
    }


def percentile(ascending: list[float], percent: int) -> float:
    return ascending[len(ascending) * percent // 100]

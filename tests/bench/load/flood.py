"""As much as goes through: so many messages are in flight, and each that comes back lets its sender say another."""

import asyncio
import time
from collections.abc import Sequence

from bench import usage
from bench.load.crowd import Crowd, count
from bench.load.sockets import Socket

SILENCE_SECONDS = 8  # after which what has not come is missing
SLOW_SECONDS = 10  # in which whoever is slow should have delivered a round of what is in flight


class Sender:
    """Keeps its share of messages in flight until told to stop."""

    def __init__(self, crowd: Crowd, socket: Socket, index: int) -> None:
        self.crowd, self.socket, self.index = crowd, socket, index
        self.pending: set[int] = set()
        self.talking = True
        socket.notice = self.hears

    def say(self) -> None:
        self.pending.add(self.crowd.say(self.socket, self.index))

    def hears(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if number in self.pending:
                self.pending.discard(number)
                if self.talking:
                    self.say()

    def stop(self) -> None:
        self.talking = False


async def flood(
    crowd: Crowd, pids: list[int], *, in_flight: int, senders: int, warm_seconds: float, seconds: float
) -> dict[str, float | str]:
    """Deliveries in a window of steady state, the CPU time of the processes in it, and what was wrong."""
    crowd.begin()
    people = [Sender(crowd, socket, index) for index, socket in enumerate(crowd.sockets[:senders])]
    for turn in range(in_flight):
        people[turn % senders].say()
    await asyncio.sleep(warm_seconds)
    first = Snapshot(crowd, pids)
    await asyncio.sleep(seconds)
    await a_round_since(first, in_flight * len(crowd.sockets) // len(crowd.room_of))
    last = Snapshot(crowd, pids)
    for sender in people:
        sender.stop()
    fault = await crowd.hear_out(SILENCE_SECONDS)
    for sender in people:
        sender.socket.notice = None
    return {"refused": fault} if fault else last.since(first)


async def a_round_since(first: "Snapshot", deliveries: int) -> None:
    """A window with less in it would show where it happens to begin and end, and not how fast things go."""
    deadline = time.perf_counter() + SLOW_SECONDS
    while not enough(first, deliveries) and time.perf_counter() < deadline:
        await asyncio.sleep(0.1)


def enough(first: "Snapshot", deliveries: int) -> bool:
    """Frames are quickly counted, and hold one message each at least."""
    lengths = first.crowd.lengths()
    return sum(lengths) - sum(first.lengths) >= deliveries or first.deliveries_until(lengths) >= deliveries


class Snapshot:
    def __init__(self, crowd: Crowd, pids: list[int]) -> None:
        self.crowd = crowd
        self.lengths = crowd.lengths()
        self.time = time.perf_counter()
        self.server_cpu = usage.cpu_seconds(pids)
        self.load_cpu = time.process_time()

    def since(self, earlier: "Snapshot") -> dict[str, float | str]:
        deliveries = earlier.deliveries_until(self.lengths)
        frames = sum(self.lengths) - sum(earlier.lengths)
        seconds = self.time - earlier.time
        server_cpu = self.server_cpu - earlier.server_cpu
        return {
            "deliveries_per_s": deliveries / seconds,
            "frames_per_s": frames / seconds,
            "cpu_us_per_delivery": server_cpu / max(deliveries, 1) * 1e6,
            "server_core_used": server_cpu / seconds,
            "load_core_used": (self.load_cpu - earlier.load_cpu) / seconds,
        }

    def deliveries_until(self, lengths: list[int]) -> int:
        windows = zip(self.crowd.sockets, self.lengths, lengths, strict=True)
        return sum(count(socket.heard[start:end]) for socket, start, end in windows)

"""From what is asked and what was measured to what is needed. It is arithmetic, and errs to the larger side."""

from itertools import pairwise
from math import ceil, exp, log
from typing import NamedTuple

from capacity.measured import Curve, Measured

BUSY = 0.5  # of a core, for a process at the rate that is asked: so the half of them can do the work of all for a while
MOST_PROCESSES = 1_000
MOST_SOCKETS = 10_000  # of a process: MAX_SOCKETS
RETURN_SECONDS = 300  # in which everybody opens a page, as after an outage of one's own network
SPARE = 1.25  # of memory, and of sockets at the edge while a new version takes over
NGINX_SOCKET_KB, NGINX_WORKER_MB = 28, 20  # measured; nginx/limits.conf and tests/unit/docker/test_capacity.py
NGINX_SOCKETS_A_WORKER = 7_500


class Asked(NamedTuple):
    members: int  # who are here at once, each by one socket
    rooms: int  # in which they are, evenly
    rate: float  # messages a second in all of them together


class TooMuch(Exception):
    """No number of processes is enough; in a sentence."""


class Need(NamedTuple):
    processes: int
    sockets: int  # of each, at most
    cores: float  # of each
    memory_mb: int  # of each
    deliveries: float  # a second, in all
    heard: float  # messages a second that Redis brings to processes, in all
    postgres_cores: float
    redis_mb: float
    returning_seconds: float  # of processor, for each to take its people in again after a cut
    nginx_sockets: int
    nginx_workers: int
    nginx_mb: int
    web_processes: int


def need(asked: Asked, cost: Measured) -> Need:
    """Raises TooMuch."""
    if asked.rate / asked.rooms > cost.most_in_one_room:
        raise TooMuch(
            f"{asked.rate / asked.rooms:,.0f} messages a second in one room are more than the "
            f"{cost.most_in_one_room:,.0f} that one log takes, since a room has one order. Spread them over more rooms."
        )
    for processes in range(max(1, ceil(asked.members / MOST_SOCKETS)), MOST_PROCESSES + 1):
        if cores(asked, cost, processes) <= BUSY:
            return _of(asked, cost, processes)
    raise TooMuch(
        f"Each process hears up to {asked.rate:,.0f} messages a second of rooms that its people are in, which is more "
        "than half of its core, however many there are. Rooms of fewer members, or sites of their own, divide that."
    )


def cores(asked: Asked, cost: Measured, processes: int) -> float:
    """What one process has to do, by its own people and by what the others tell it."""
    own = asked.rate / processes  # a second
    heard = asked.rate * hears(asked, processes)
    delivered = asked.rate * asked.members / asked.rooms / processes
    others = max(0.0, heard - own)  # as dear as one's own in a busy process: read and framed many together, not stored
    a_message, of_others = at(own, cost.message), cost.message[-1][1]
    return (own * a_message + others * of_others + delivered * at(asked.rate / asked.rooms, cost.delivery)) / 1e6


def hears(asked: Asked, processes: int) -> float:
    """The share of all rooms of which a process has a member, as people come to processes by chance."""
    return float(1 - (1 - 1 / processes) ** (asked.members / asked.rooms))


def at(rate: float, known: Curve) -> float:
    """µs at that rate: by logarithms between two that were measured, and beyond them as at the last one."""
    if rate <= known[0][0]:
        return known[0][1]
    for (low, dear), (high, cheap) in pairwise(known):
        if rate <= high:
            share = log(rate / low) / log(high / low)
            return exp(log(dear) + share * log(cheap / dear))
    return known[-1][1]


def _of(asked: Asked, cost: Measured, processes: int) -> Need:
    sockets = ceil(asked.members / processes)
    edge = ceil(asked.members * SPARE / 1000) * 1000
    workers = max(4, ceil(edge / NGINX_SOCKETS_A_WORKER))
    return Need(
        processes=processes,
        sockets=sockets,
        cores=cores(asked, cost, processes),
        memory_mb=ceil(SPARE * (cost.base_mb + sockets * cost.kb_per_socket / 1024)),
        deliveries=asked.rate * asked.members / asked.rooms,
        heard=asked.rate * hears(asked, processes) * processes,
        postgres_cores=asked.rate * at(asked.rate / processes, cost.postgres) / 1e6,
        redis_mb=asked.members * cost.redis_kb_per_socket / 1024,
        returning_seconds=sockets * cost.ms_per_connect / 1000,
        nginx_sockets=edge,
        nginx_workers=workers,
        nginx_mb=ceil(edge * NGINX_SOCKET_KB / 1024 + workers * NGINX_WORKER_MB),
        web_processes=max(2, 2 * ceil(asked.members * cost.ms_per_page / 1000 / RETURN_SECONDS / 2)),
    )

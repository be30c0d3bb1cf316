"""What happens to a site, and what is told of it."""

import random
from typing import NamedTuple

import simpy

from realtime.drain import SPREAD_SHARE
from realtime.limits import CHECK_SECONDS, CLOSES_PER_SECOND, REPLAYS, RETURNS_PER_SECOND
from simulation.site import Costs, Site, Steps, back_off

DRAIN_SECONDS = 10


class Told(NamedTuple):
    """Seconds, from the cut or the first goodbye."""

    half_back: float
    nearly_back: float  # 95 of 100
    all_back: float
    dials: float  # of each person
    dropped: int
    given_up: int

    @classmethod
    def of(cls, site: Site) -> "Told":
        back = sorted(site.back)
        return cls(share(back, 0.5), share(back, 0.95), back[-1], site.dials / len(back), site.dropped, site.given_up)


def share(values: list[float], part: float) -> float:
    return values[min(len(values) - 1, int(part * len(values)))]


def storm(sockets: int, processes: int, costs: Costs, postgres_cores: int = 1) -> Told:
    """All lines are cut at once, and browsers dial as they do then."""
    site = Site(costs, processes, postgres_cores)
    site.run([back_off(site.chance, 0) for _ in range(sockets)])
    return Told.of(site)


def rollout(sockets: int, processes: int, costs: Costs, postgres_cores: int = 1, steps: int = 1) -> Told:
    """New processes stand beside old ones, which leave: an equal share of them in each step of DRAIN_SECONDS."""
    site = Site(costs, processes, postgres_cores)
    each = -(-sockets // processes)
    pauses = [
        pause for process in range(processes) for pause in goodbyes(min(each, sockets - each * process), site.chance)
    ]
    site.chance.shuffle(pauses)
    site.run([DRAIN_SECONDS * (number * steps // sockets) + pause for number, pause in enumerate(pauses)])
    return Told.of(site)


def goodbyes(sockets: int, chance: random.Random) -> list[float]:
    """When each of a process' people dials again, as realtime.drain spreads them."""
    spread = min(DRAIN_SECONDS * SPREAD_SHARE, sockets / CLOSES_PER_SECOND)
    away = max(1.0, sockets / RETURNS_PER_SECOND - spread)
    return [spread * number / sockets + chance.uniform(0, away) for number in range(sockets)]


class Heard(NamedTuple):
    """Seconds until a message is heard at another process while Redis is away, and what Postgres is asked meanwhile."""

    half: float
    nearly: float  # 95 of 100
    pages: float  # of logs, read in a second by all processes


def redis_away(rate: float, rooms: int, members: int, processes: int, page: float, seconds: float = 60) -> Heard:
    """Each process asks every CHECK_SECONDS which logs have changed, and reads those that its people follow.

    To read one takes `page` seconds, and REPLAYS are read at once.
    """
    env, chance = simpy.Environment(), random.Random(1)
    follows = 1 - (1 - 1 / processes) ** (members / rooms)  # the share of rooms with somebody at a process
    said: list[tuple[float, int]] = []
    late: list[float] = []
    pages = 0

    def talks() -> Steps:
        while env.now < seconds:
            yield env.timeout(chance.expovariate(rate))
            said.append((env.now, chance.randrange(rooms)))

    def looks() -> Steps:
        nonlocal pages
        yield env.timeout(chance.uniform(0, CHECK_SECONDS))
        seen = 0
        mine = {room for room in range(rooms) if chance.random() < follows}
        while env.now < seconds + 2 * CHECK_SECONDS:
            new, seen = [entry for entry in said[seen:] if entry[1] in mine], len(said)
            changed = {room for _, room in new}
            pages += len(changed)
            yield env.timeout(page * len(changed) / REPLAYS)
            late.extend(env.now - at for at, _ in new)
            yield env.timeout(CHECK_SECONDS)

    env.process(talks())
    for _ in range(processes):
        env.process(looks())
    env.run()
    late.sort()
    return Heard(share(late, 0.5), share(late, 0.95), pages / seconds)

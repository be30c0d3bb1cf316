"""A site in which time is simulated: people, processes that serve sockets, and a Postgres."""

import random
from collections import deque
from collections.abc import Generator
from typing import Any, NamedTuple

import simpy

from realtime.limits import MAX_UNFINISHED

DIAL_SECONDS = 15.0  # static/topics/line.js: from dialling to the welcome
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # backOff, there
TOGETHER = 100  # arrivals in one question to Postgres: topics.delivery.arrivals

Steps = Generator[simpy.Event, Any, None]


class Costs(NamedTuple):
    """Seconds of a core, for a person who comes back."""

    server: float
    postgres: float


def back_off(chance: random.Random, attempt: int) -> float:
    return chance.random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)


class Visit:
    """A handshake on its way; `done` succeeds with whether it was welcomed."""

    __slots__ = ("done", "dropped", "given_up", "read")

    def __init__(self, env: simpy.Environment) -> None:
        self.done = env.event()
        self.read = self.dropped = self.given_up = False


class Site:
    def __init__(self, costs: Costs, processes: int, postgres_cores: int, seed: int = 1) -> None:
        self.env = simpy.Environment()
        self.chance = random.Random(seed)
        self.costs = costs
        self.postgres = simpy.Resource(self.env, postgres_cores)
        self.processes = [Process(self) for _ in range(processes)]
        self.back: list[float] = []  # when each was welcomed
        self.dials = 0
        self.dropped = 0  # handshakes that a process had no room for
        self.given_up = 0  # and those that took too long

    def person(self, stays_away: float) -> Steps:
        """Cut off at 0; dials after that time, and until somebody welcomes her."""
        yield self.env.timeout(stays_away)
        attempt = 0
        while True:
            visit = Visit(self.env)
            self.dials += 1
            self.chance.choice(self.processes).takes(visit)
            yield visit.done | self.env.timeout(DIAL_SECONDS)
            if visit.done.triggered and visit.done.value:
                self.back.append(self.env.now)
                return
            if not visit.done.triggered:
                visit.given_up = True
                self.given_up += 1
            yield self.env.timeout(back_off(self.chance, attempt))
            attempt += 1

    def run(self, pauses: list[float]) -> None:
        """Until all are back."""
        people = [self.env.process(self.person(pause)) for pause in pauses]
        self.env.run(self.env.all_of(people))


class Process:
    """One core: handshakes, to each of which the loop turns twice. Postgres is asked for many together, beside it."""

    def __init__(self, site: Site) -> None:
        self._site, self._env = site, site.env
        self._ready: deque[Visit] = deque()
        self._unread: deque[Visit] = deque()  # those of them whose request was not read yet
        self._asking: deque[Visit] = deque()
        self._works = self._asks = False

    def takes(self, visit: Visit) -> None:
        self._ready.append(visit)
        self._unread.append(visit)
        if len(self._unread) > MAX_UNFINISHED:  # the oldest goes
            self._site.dropped += 1
            oldest = self._unread.popleft()
            oldest.dropped = True
            if not oldest.given_up:
                oldest.done.succeed(False)
        if not self._works:
            self._works = True
            self._env.process(self._work())

    def _work(self) -> Steps:
        while self._ready:
            visit = self._ready.popleft()
            if visit.dropped:
                continue
            if not visit.read:
                self._unread.popleft()
            if visit.given_up:
                continue
            yield self._env.timeout(self._site.costs.server / 2)
            if not visit.read:  # who has come meanwhile is read before this one is welcomed
                visit.read = True
                self._ready.append(visit)
                continue
            self._asking.append(visit)
            if not self._asks:
                self._asks = True
                self._env.process(self._ask())
        self._works = False

    def _ask(self) -> Steps:
        while self._asking:
            taken = [self._asking.popleft() for _ in range(min(TOGETHER, len(self._asking)))]
            some = [visit for visit in taken if not visit.given_up]  # as topics.storing.gathering leaves them out
            with self._site.postgres.request() as turn:
                yield turn
                yield self._env.timeout(len(some) * self._site.costs.postgres)
            for visit in some:
                if not visit.given_up:
                    visit.done.succeed(True)
        self._asks = False

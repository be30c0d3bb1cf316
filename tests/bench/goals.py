"""What was to be reached, and by what factor it was or was not. Ratios are of medians of one and the same bench."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.result import Parameters, Result
from bench.table import markdown, number

HALL: Parameters = {"sockets": 200, "in_flight": 8}
FULL_HALL: Parameters = {"sockets": 200, "in_flight": 64}
STORM: Parameters = {"sockets": 2_000}
SERVERS = ("Daphne", "uvicorn")
KINDS = ("hub", "rooms", "topics")
POOL = 8  # DATABASE_POOL's default
LINEAR, FLAT = 1.1, 0.1  # exponents; from run to run they differ by a tenth


@dataclass(frozen=True)
class Goal:
    """`value` is to be at least, or at most, `limit`; both None where they were not measured."""

    sentence: str
    value: float | None
    limit: float | None
    at_least: bool = True

    @property
    def met(self) -> str:
        if self.value is None or self.limit is None:
            return "not measured"
        good, bad = (self.value, self.limit) if self.at_least else (self.limit, self.value)
        if good >= bad:
            return "met"
        return (
            f"missed: {number(good / bad, 2)} of it" if self.at_least else f"missed: {number(bad / good, 2)} times it"
        )


class Found:
    """Looks for a value among results; None where there is none, or it was refused."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = results

    def __call__(self, scenario: str, contender: str, value: str, parameters: Parameters) -> float | None:
        for result in self.results:
            same = (result.scenario, result.contender) == (scenario, contender)
            if same and parameters.items() <= result.parameters.items() and value in result.values:
                return result.values[value]
        return None

    def worst(self, scenario: str, contender: str, value: str, parameters: Parameters) -> float | None:
        """The highest of several; None where one of them was refused."""
        several = [
            result
            for result in self.results
            if (result.scenario, result.contender) == (scenario, contender)
            and parameters.items() <= result.parameters.items()
        ]
        refused = any(result.refused for result in several)
        return None if refused or not several else max(result.values[value] for result in several)

    def fanout(self, contender: str, parameters: Parameters = HALL) -> float | None:
        return self("fanout", contender, "deliveries_per_s", parameters)


def table(results: Sequence[Result]) -> str:
    body = [[goal.sentence, shown(goal.value), shown(goal.limit), goal.met] for goal in goals(Found(results))]
    return markdown(["goal", "measured", "to reach", ""], body)


def shown(value: float | None) -> str:
    return "" if value is None else number(value)


def goals(found: Found) -> Iterator[Goal]:
    yield from fanouts(found)
    yield from memory(found)
    yield from storing(found)
    yield from curves(found)


def fanouts(found: Found) -> Iterator[Goal]:
    """Deliveries a second in one room."""
    for line, peer, factor, parameters in (
        ("hub, uvicorn", "Socket.IO with Redis", 1, HALL),
        ("hub, uvicorn, batch", "nchan", 1, HALL),
        ("hub, uvicorn, batch", "nchan, TCP_NODELAY", 1, HALL),
        ("hub, uvicorn, batch", "nchan", 1, FULL_HALL),
        ("hub, uvicorn, batch", "nchan, TCP_NODELAY", 1, FULL_HALL),
        ("hub, Daphne, batch", "Socket.IO", 1, HALL),
        ("hub, Daphne, batch", "Socket.IO", 1, FULL_HALL),
        ("hub, Daphne", "tutorial, core layer, Daphne", 10, HALL),
        ("hub, Daphne", "tutorial, pub/sub layer, Daphne", 10, HALL),
        ("rooms, uvicorn", "Socket.IO", 1, HALL),
        ("rooms, uvicorn, batch", "Socket.IO", 1, FULL_HALL),
        ("topics, uvicorn", "Socket.IO", 1, HALL),
        ("topics, uvicorn, batch", "Socket.IO", 1, FULL_HALL),
    ):
        limit = found.fanout(peer, parameters)
        times = f"{factor} × " if factor > 1 else ""
        yield Goal(
            f"{line}: deliveries/s above {times}{peer}, {parameters['in_flight']} in flight",
            found.fanout(line, parameters),
            None if limit is None else factor * limit,
        )


def memory(found: Found) -> Iterator[Goal]:
    for server, limit in zip(SERVERS, (24, 22), strict=True):
        for line in (f"{kind}, {server}" for kind in KINDS):
            kb = found("memory", line, "kb_per_socket", {})
            yield Goal(f"{line}: KB an idle socket", kb, limit, at_least=False)
            kb = found("memory", line, "redis_kb_per_socket", {})
            yield Goal(f"{line}: KB an idle socket in Redis", kb, 0.01, at_least=False)
            spent = found("idle", line, "cpu_us_per_socket_and_s", {})
            yield Goal(f"{line}: CPU µs a second of an idle socket", spent, 5, at_least=False)


def storing(found: Found) -> Iterator[Goal]:
    """Acks, latency, the lone message and the storm."""
    crowds: list[Parameters] = [{"writers": 50, "rooms": 1}, {"writers": 50, "rooms": 50}]
    for server in SERVERS:
        for crowd in crowds:
            where = f"{crowd['writers']} writers in {crowd['rooms']} room{'s' * (crowd['rooms'] != 1)}"
            full, half = crowd | {"load": "full"}, crowd | {"load": "half"}
            insert = found("durable", f"one insert a message, {server}", "acked_per_s", full)
            limit = None if insert is None else 10 * insert
            for line in (f"rooms, {server}", f"topics, {server}"):
                acked = found("durable", line, "acked_per_s", full)
                yield Goal(f"{line}: acks/s above 10 × one insert each, {where}", acked, limit)
                p99 = found("durable", line, "deliver_p99_ms", half)
                yield Goal(f"{line}: send→deliver p99 ms at half load, {where}", p99, 50, at_least=False)
        for line in (f"{kind}, {server}{batch}" for kind in KINDS for batch in ("", ", batch")):
            yield Goal(f"{line}: median ms of a lone message", found("lone", line, "p50_ms", {}), 5, at_least=False)
        for part, most in (("p50_ms", 3), ("p99_ms", 10)):
            took = found("append", f"topics, {server}", part, {})
            yield Goal(f"topics, {server}: append in a view → socket, {part[:3]} ms", took, most, at_least=False)
        for part, most in (("cancel_p99_ms", 200), ("updates_per_event_s", 4)):
            took = found("growing", f"topics, {server}", part, {})
            sentence = {"cancel_p99_ms": "cancel → the end, p99 ms", "updates_per_event_s": "UPDATEs a second"}[part]
            yield Goal(f"topics, {server}: an event that grows, {sentence}", took, most, at_least=False)
        back = found.worst("storm", f"rooms, {server}", "back_s", STORM)
        yield Goal(f"rooms, {server}: seconds until the worst storm of 2,000 is back", back, 5, at_least=False)
        connections = found.worst("storm", f"rooms, {server}", "most_connections", STORM)
        yield Goal(f"rooms, {server}: connections to Postgres meanwhile", connections, POOL, at_least=False)


def curves(found: Found) -> Iterator[Goal]:
    for line in (f"{kind}, {server}" for kind in KINDS for server in SERVERS):
        for grows, limit in (("members", LINEAR), ("rooms", LINEAR), ("rate", LINEAR), ("quiet rooms", FLAT)):
            slope = found("curves", line, "exponent", {"grows": grows})
            yield Goal(f"{line}: exponent of CPU over {grows}", slope, limit, at_least=False)

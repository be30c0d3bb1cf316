"""One room: how many deliveries a second, with few and with many messages in flight."""

from collections.abc import Sequence

from bench.result import NOT_ASKED
from bench.scenarios.steps.visitor import Visitor

SIZES = (3_000, 1_000, 200)
IN_FLIGHT = (8, 64)
SENDERS = 4
PATIENCE_SECONDS = 8  # for what is in flight at the end; whoever would need longer is not asked


async def fanout(visitor: Visitor, scenario: str = "fanout", in_flights: Sequence[int] = IN_FLIGHT) -> None:
    for size in (1_000, 200) if visitor.bench.quick else SIZES:
        await visitor.resize(size)
        rate = 0.0
        for in_flight in in_flights:
            parameters = {"sockets": size, "in_flight": in_flight}
            if rate and in_flight * size / rate > PATIENCE_SECONDS:
                visitor.note(scenario, parameters, f"{NOT_ASKED}{in_flight * size / rate:.0f} s a round")
                continue
            values = await visitor.flood(in_flight=in_flight, senders=SENDERS)
            visitor.note(scenario, parameters, values)
            if not isinstance(values, str):
                rate = values["deliveries_per_s"]
                visitor.capacity = rate if size == 200 else 0.0

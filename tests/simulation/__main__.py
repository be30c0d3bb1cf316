"""`make simulate`: sites of ten thousand to a million sockets. `ARGS=--validate`: a thousand, simulated and real."""

import argparse
import json
import sys
from pathlib import Path

from simulation.scenes import Told, redis_away, rollout, storm
from simulation.site import Costs

BENCH = Path(__file__).parents[2] / "docs" / "bench"
SIZES = (10_000, 100_000, 1_000_000)
EACH = 10_000  # sockets of a process
A_ROOM = 20  # members
A_PERSON = 1 / 200  # messages a second
PAGE_SECONDS = 0.001  # to read what is new in a room: assumed, not measured
POSTGRES_CORES = 4
MOST = 20_000  # sockets that are simulated one by one
KIND = ("rooms, Daphne", 100, "lines cut")


def main() -> int:
    asked = argparse.ArgumentParser(prog="make simulate")
    asked.add_argument("--validate", action="store_true", help="real runs of a thousand sockets beside the simulated")
    asked.add_argument("--most", type=int, default=SIZES[-1], help="sockets")
    options = asked.parse_args()
    if options.validate:
        from simulation.real import validate

        return validate()
    costs = measured()
    server, postgres = costs.server * 1e3, costs.postgres * 1e3
    print(f"A person who comes back takes {server:.2f} ms of a server's core, {postgres:.2f} ms of one of Postgres'")
    print(f"{POSTGRES_CORES} (docs/bench/storm.json). A process has {EACH:,} sockets.\n")
    for sockets in (size for size in SIZES if size <= options.most):
        of_many(sockets, costs)
    return 0


def of_many(sockets: int, costs: Costs) -> None:
    """Above MOST a slice of it is simulated, with as much less of Postgres as of everything else: one slower core."""
    slices = max(1, sockets // MOST)
    slice = f" (one of {slices} equal slices)" if slices > 1 else ""
    print(f"{sockets:,} sockets, {sockets // EACH} processes{slice}", flush=True)
    sockets, costs = sockets // slices, costs._replace(postgres=costs.postgres * slices / POSTGRES_CORES)
    processes = sockets // EACH
    show("all lines are cut", storm(sockets, processes, costs))
    show("rollout, all leave at once", rollout(sockets, processes, costs))
    if processes > 1:
        show("rollout in ten steps", rollout(sockets, processes, costs, steps=10))
    rooms, rate = sockets // A_ROOM, sockets * A_PERSON
    heard = redis_away(rate, rooms, sockets, max(2, processes * slices), PAGE_SECONDS, seconds=20)
    print(
        f"  Redis is away               heard after {heard.half:.1f} s, 95 of 100 after {heard.nearly:.1f}; "
        f"{heard.pages * slices:,.0f} pages of logs a second for {rate * slices:,.0f} messages\n",
        flush=True,
    )


def measured() -> Costs:
    """Of Daphne with a hundred rooms, whose lines are cut."""
    for result in json.loads((BENCH / "storm.json").read_text())["results"]:
        if (result["contender"], result["parameters"]["rooms"], result["parameters"]["cut"]) == KIND:
            values, sockets = result["values"], result["parameters"]["sockets"]
            return Costs(values["server_cpu_s"] / sockets, values["postgres_cpu_s"] / sockets)
    sys.exit('docs/bench/storm.json lacks it: make bench ARGS="--only storm"')


def show(what: str, told: Told) -> None:
    print(
        f"  {what:<28}half are back after {told.half_back:.1f} s, 95 of 100 after {told.nearly_back:.1f}, all after "
        f"{told.all_back:.1f}; {told.dials:.2f} dials each, {told.dropped:,} dropped, {told.given_up:,} given up",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

"""What it costs, beside what people would pick instead. `make bench`, or with tests/ and app/ on the path:

python -m bench [--only fanout,memory] [--contenders "hub,Socket.IO"] [--runs 3] [--quick] [--out docs/bench]
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

from bench import usage
from bench.frame import Bench
from bench.result import Result

OUT = Path(__file__).parents[2] / "docs" / "bench"
SCENARIOS = {  # what can be asked for, and the module that measures it
    "ceiling": "ceiling",
    "memory": "visit",
    "fanout": "visit",
    "paced": "visit",
    "rooms": "visit",
    "lone": "visit",
    "curves": "curves",
    "durable": "durable",
    "storm": "storm",
    "connects": "connects",
    "pages": "pages",
}


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated."))
    usage.allow_many_files()
    server_core, load_core = cores()
    bench = Bench(
        runs=options.runs,
        quick=options.quick,
        server_core=server_core,
        load_core=load_core,
        only=options.only,
        contenders=options.contenders,
    )
    try:
        results = asyncio.run(everything(bench))
    finally:
        bench.surroundings.stop()
    for result in results:
        print(result.scenario, result.contender, result.parameters, result.values or result.refused)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", type=names, default=frozenset(), help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--contenders", type=names, default=frozenset(), help="beginnings of their names")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are reported")
    parser.add_argument("--quick", action="store_true", help="once and briefly, for developing")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if unknown := options.only - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if options.quick:
        options.runs = 1
    return options


def names(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def cores() -> tuple[int, int]:
    """One for the server, one for all others."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("Two cores are needed, one for the server and one for the load.")
    return available[0], available[1]


async def everything(bench: Bench) -> list[Result]:
    results: list[Result] = []
    for module in dict.fromkeys(module for name, module in SCENARIOS.items() if bench.asks(name)):
        began = time.monotonic()
        results += [result async for result in import_module(f"bench.scenarios.{module}").run(bench)]
        bench.say(f"{module}: {time.monotonic() - began:.0f} s")
    return results


if __name__ == "__main__":
    raise SystemExit(main())

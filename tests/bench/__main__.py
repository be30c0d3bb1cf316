"""What it costs, beside what people would pick instead. `make bench`, or with tests/ and app/ on the path:

python -m bench [--only fanout,memory] [--contenders "hub, uvicorn" nchan] [--runs 3] [--quick] [--out docs/bench]
"""

import argparse
import gc
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

import uvloop

from bench import goals, page, pictures, stored, usage
from bench.about import about
from bench.contenders import OURS
from bench.frame import Bench
from bench.result import NOT_ASKED, Result

ROOT = Path(__file__).parents[2]
PARTIAL = ".run/bench/results"
INTERRUPTED = 130
SCENARIOS = {  # what can be asked for, and the module that measures it
    "ceiling": "ceiling",
    "memory": "visit",
    "idle": "visit",
    "fanout": "visit",
    "paced": "visit",
    "small-rooms": "visit",
    "lone": "visit",
    "curves": "curves",
    "durable": "durable",
    "append": "append",
    "growing": "growing",
    "storm": "storm",
    "connects": "connects",
    "pages": "pages",
}


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated."))
    usage.allow_many_files()
    gc.disable()  # people of the stored half live in this process: a collection would look like a server's delay
    server_core, load_core = cores()
    bench = Bench(
        runs=options.runs,
        quick=options.quick,
        server_core=server_core,
        load_core=load_core,
        only=options.only,
        contenders=frozenset(options.contenders),
    )
    results: list[Result] = []
    try:
        if not options.redraw:
            results = uvloop.run(everything(bench, options.out))
    except KeyboardInterrupt:
        bench.say("Interrupted: what was finished by then is written.")
        return INTERRUPTED
    finally:
        bench.surroundings.stop()
    return report(options.out, results, bench)


async def everything(bench: Bench, out: Path) -> list[Result]:
    """Written as it comes: what fails later costs nothing of what is there."""
    results: list[Result] = []
    for module in dict.fromkeys(module for name, module in SCENARIOS.items() if bench.asks(name)):
        began = time.monotonic()
        found = [result async for result in import_module(f"bench.scenarios.{module}").run(bench)]
        stored.write(out, found, about(bench.runs, bench.quick, bench.server_core, bench.load_core))
        results += found
        bench.say(f"{module}: {time.monotonic() - began:.0f} s")
    return results


def report(out: Path, results: list[Result], bench: Bench) -> int:
    """Draws all there is by now. The exit status is 1 where something failed, or one of our own lines was refused."""
    everything, abouts = stored.read(out)
    page.write(out, everything, abouts)
    pictures.draw(out, everything)
    for table in (goals.table(everything), page.tables(everything)["fanout"]):
        bench.say(f"\n{table}\n")
    refused = [result for result in results if result.refused and not result.refused.startswith(NOT_ASKED)]
    for result in refused:
        bench.say(f"refused: {result.scenario} of {result.contender}, {result.parameters}: {result.refused}")
    for failure in bench.failures:
        bench.say(failure)
    bench.say(f"All tables: {out / 'README.md'}")
    ours = {line.name for line in OURS}
    return int(bool(bench.failures) or any(result.contender in ours for result in refused))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", type=names, default=frozenset(), help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--contenders", nargs="+", default=(), help="beginnings of their names")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are reported")
    parser.add_argument("--quick", action="store_true", help="once and briefly, for developing")
    parser.add_argument("--out", type=Path, help=f"folder of the results, else docs/bench, or {PARTIAL} for a part")
    parser.add_argument("--redraw", action="store_true", help="table and pictures of what is there, measuring nothing")
    options = parser.parse_args()
    if unknown := options.only - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    if options.quick:
        options.runs = 1
    options.out = options.out or (ROOT / PARTIAL if options.quick or options.contenders else ROOT / "docs/bench")
    return options


def names(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def cores() -> tuple[int, int]:
    """One for the server, one for all others."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("Two cores are needed, one for the server and one for the load.")
    return available[0], available[1]


if __name__ == "__main__":
    raise SystemExit(main())

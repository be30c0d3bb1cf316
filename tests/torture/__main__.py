"""Everything that can go wrong, for as long as one likes, and what came of it.

`make torture`, or with tests/ and app/ on the path: python -m torture [--minutes 10] [--soak] [--seed N] [--report F]

Random faults while people talk in rooms, and in topics of a foreign app; a deploy with a crowd; connections cut every
fifteen seconds, with the tutorial's chat beside ours; a thousand posts by form; topics against their model, in any
order of things. The exit status is 1 where a promise was broken.

With --soak nothing goes wrong instead: people come, talk and go, and what is left of them is measured.
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from servers.app import FOREIGN_APP, Image
from servers.postgres import Postgres
from servers.stack import SERVERS, Stack
from torture import deploy, form, soak
from torture.jitter import Result, both
from torture.storm import Row, storm

REPORT = Path(__file__).parents[2] / ".run" / "reports" / "torture.json"
STORM_SHARE = 0.7  # of the minutes; the rest is for the jitter, which needs at least
JITTER_SECONDS = 60


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated."))
    print(f"{options.minutes:g} minutes, seed {options.seed}")
    postgres = Postgres()
    postgres.start()
    try:
        if options.soak:
            report = soaked(postgres, options.minutes * 60)
        else:
            with Stack(Image(), postgres, SERVERS, **FOREIGN_APP) as stack:
                report = uvloop.run(everything(stack, options.minutes * 60, options.seed))
    finally:
        postgres.stop()
    report = {"minutes": options.minutes, "seed": options.seed, **report}
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1) + "\n")
    print("", *(f"BROKEN: {promise}" for promise in report["broken"]), f"Report: {options.report}", sep="\n")
    return int(bool(report["broken"]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="torture", description="Everything that can go wrong, and what came of it.")
    parser.add_argument("--minutes", type=float, default=10, help="of faults and of jitter; the rest takes four more")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the order of the faults")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--soak", action="store_true", help="only people who come and go, and what is left of them")
    return parser.parse_args()


def soaked(postgres: Postgres, seconds: float) -> dict[str, Any]:
    heading("People come, talk and go")
    with soak.watched(postgres) as stack:
        result = uvloop.run(soak.soak(stack, seconds))
    soak.show(result)
    return asdict(result)


async def everything(stack: Stack, seconds: float, seed: int) -> dict[str, Any]:
    """The report, with the `broken` promises."""
    heading("Faults while people talk")
    rows = await storm(stack, seconds * STORM_SHARE, random.Random(seed))
    show_rows(rows)
    heading(f"A deploy with {deploy.PEOPLE} people")
    deploys, account = await deploy.deploy(stack)
    print(account)
    heading("Cut every 15 s, each time offline for 2 s")
    jitter = await both(stack, max(JITTER_SECONDS, seconds * (1 - STORM_SHARE)), seed)
    show_results(jitter)
    heading(f"{form.POSTS} posts by form")
    posts = await form.posts(stack)
    print(posts)
    heading("Topics against their model")
    model = await asyncio.to_thread(tried, seed)
    print(model)
    return {
        "broken": [
            *(str(row) for row in rows if not row.faultless),
            *(str(each) for each in deploys if not deploy.in_order(each)),
            *([f"deploy: {account}"] if not account.faultless else []),
            *([str(jitter[0])] if jitter[0].lost or jitter[0].doubled else []),
            *([str(posts)] if posts.connections > form.MOST else []),
            *([f"model: {model}"] if "failed" in model else []),
        ],
        "faults": [asdict(row) for row in rows],
        "deploys": [asdict(each) | {"codes": sorted(each.codes)} for each in deploys],
        "jitter": [asdict(result) | {"lost_percent": result.lost_percent} for result in jitter],
        "posts": asdict(posts),
        "model": model,
    }


def tried(seed: int) -> str:
    """The last line of many more tries than the suite has."""
    tests = Path(__file__).parents[1]
    command = ["-m", "pytest", "-q", "--hypothesis-profile=torture", f"--hypothesis-seed={seed}"]
    model = str(tests / "unit" / "topics" / "test_model.py")
    done = subprocess.run([sys.executable, *command, model], cwd=tests.parent, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-5_000:])
    return done.stdout.splitlines()[-1] if done.stdout else f"failed: {done.stderr[-1_000:]}"


def heading(text: str) -> None:
    print(f"\n--- {text} ---", flush=True)


def show_rows(rows: Sequence[Row]) -> None:
    table("fault", ["rounds", "acked", "lost", "doubled", "out of order", "unread", "heal s"])
    for row in rows:
        numbers = [row.rounds, row.acked, row.lost, row.doubled, row.out_of_order, row.unread, max(row.heal_seconds)]
        table(row.fault, numbers, "" if row.faultless else "  BROKEN")


def show_results(results: Sequence[Result]) -> None:
    table("", ["cuts", "messages", "expected", "lost", "lost %", "doubled"])
    for one in results:
        table(one.who, [one.cuts, one.messages, one.expected, one.lost, one.lost_percent, one.doubled])


def table(name: str, cells: Sequence[object], remark: str = "") -> None:
    print(f"{name:32}" + "".join(f"{cell!s:>13}" for cell in cells) + remark)


if __name__ == "__main__":
    raise SystemExit(main())

"""docs/bench/README.md: the goals, every table, and how all of it was measured."""

import re
from collections.abc import Sequence
from pathlib import Path

from bench import goals, table
from bench.result import Result, Values
from bench.stored import About

TEMPLATE = Path(__file__).with_name("page.md")
PEER = "Socket.IO with Redis"
SOCKETS = 200
NOTHING = "Not measured."


def write(folder: Path, results: Sequence[Result], abouts: dict[str, About]) -> None:
    texts = {**told(abouts), **tables(results), "goals": goals.table(results)}
    page = re.sub(r"\{(\w+)\}", lambda found: texts[found[1]], TEMPLATE.read_text())
    (folder / "README.md").write_text(page)


def told(abouts: dict[str, About]) -> dict[str, str]:
    """What the results were made on: of the newest where scenarios were measured apart."""
    about = max(abouts.values(), key=lambda each: str(each["date"]))
    apart = {each["command"] for each in abouts.values()}
    quick = "\n\n**Made with `--quick`: for developing only, and worth little.**" if about["quick"] else ""
    return {
        "command": "`, `".join(sorted(apart)),
        "quick": quick,
        "versions": ", ".join(f"{name} {number}" for name, number in about["versions"].items()),
        "runs": " or ".join(sorted({str(each["runs"]) for each in abouts.values()})),
        **{name: str(about[name]) for name in ("date", "commit", "machine", "cores")},
    }


def tables(results: Sequence[Result]) -> dict[str, str]:
    def of(scenario: str) -> list[Result]:
        chosen = [result for result in results if result.scenario == scenario]
        return sorted(chosen, key=lambda result: result.parameters.get("sockets", 0))

    latencies = ("p50_ms", "p99_ms")
    made = {
        "fanout": table.pivot(of("fanout"), "deliveries_per_s"),
        "costs": table.rows(costs(of("fanout"))),
        "ceiling": table.pivot(of("ceiling"), "deliveries_per_s"),
        "paced_p50": table.pivot(of("paced"), "p50_ms"),
        "paced_p99": table.pivot(of("paced"), "p99_ms"),
        "paced_cpu": table.pivot(of("paced"), "cpu_us_per_delivery"),
        "lone": table.rows(of("lone"), latencies),
        "small_rooms": table.rows(of("small-rooms"), ("deliveries_per_s", "cpu_us_per_delivery")),
        "memory": table.rows(of("memory"), ("kb_per_socket", "redis_kb_per_socket", "mb_in_all")),
        "idle": table.rows(of("idle")),
        "curves": table.rows(of("curves"), digits=2),
        **{name: table.rows(of(name)) for name in ("durable", "append", "growing", "storm", "connects", "pages")},
    }
    return {name: text if text.count("\n") > 1 else NOTHING for name, text in made.items()}


def costs(fanout: Sequence[Result]) -> list[Result]:
    """One room of two hundred, with ratios."""
    chosen = [result for result in fanout if result.parameters["sockets"] == SOCKETS]
    peers = {str(result.parameters): result.values for result in chosen if result.contender == PEER}
    return [
        Result(
            "costs",
            result.contender,
            {"in_flight": result.parameters["in_flight"]},
            beside(result, peers.get(str(result.parameters), {})),
            refused=result.refused,
        )
        for result in chosen
    ]


def beside(result: Result, peer: Values) -> Values:
    if result.refused:
        return {}
    rate = "deliveries_per_s"
    times = {f"× {PEER}": result.values[rate] / peer[rate]} if peer else {}
    return times | {name: result.values[name] for name in ("cpu_us_per_delivery", "server_core_used", "load_core_used")}

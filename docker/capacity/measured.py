"""What `make bench` has measured: docs/bench/*.json. Nothing here is typed from it."""

import json
from pathlib import Path
from typing import Any, NamedTuple


class Missing(Exception):
    """The benchmark has not measured that; in a sentence."""


Curve = list[tuple[float, float]]
"""A rate, and µs of each at that rate: what comes together is cheaper."""


class Measured(NamedTuple):
    """Of one server process. Times are CPU unless they say otherwise."""

    machine: str
    date: str
    base_mb: float  # of a process without sockets
    kb_per_socket: float
    redis_kb_per_socket: float
    ms_per_connect: float
    message: Curve  # by messages a second of one process: taken, stored, acknowledged, told to the others
    postgres: Curve  # by the same, what Postgres has to do
    most_in_one_room: float  # messages a second
    delivery: Curve  # by messages a second in a room
    ms_per_page: float


def read(folder: Path, server: str) -> Measured:
    """Of `daphne` or `uvicorn`. Raises Missing."""
    us = {"daphne": "rooms, Daphne", "uvicorn": "rooms, uvicorn"}[server]
    memory = only(folder, "memory", us)
    [(sockets, _)] = [(result["parameters"]["sockets"], 0) for result in results(folder, "memory", us)]
    busy = {"writers": 50, "in_flight": 16}
    lone = only(folder, "durable", us, writers=1, in_flight=1)
    half = only(folder, "durable", us, rooms=50, load="half", **busy)
    paced = [
        (float(result["parameters"]["messages_per_s"]), result["values"]["cpu_us_per_delivery"])
        for result in results(folder, "paced", us)
    ]
    about = json.loads((folder / "memory.json").read_text())["about"]
    return Measured(
        machine=about["machine"],
        date=about["date"],
        base_mb=memory["mb_in_all"] - sockets * memory["kb_per_socket"] / 1024,
        kb_per_socket=memory["kb_per_socket"],
        redis_kb_per_socket=memory["redis_kb_per_socket"],
        ms_per_connect=only(folder, "connects", us, cookie="session")["server_ms_per_connect"],
        message=[(one["acked_per_s"], one["server_us_per_ack"]) for one in (lone, half)],
        postgres=[(one["acked_per_s"], one["postgres_us_per_ack"]) for one in (lone, half)],
        most_in_one_room=only(folder, "durable", us, rooms=1, load="full", **busy)["acked_per_s"],
        delivery=sorted(paced),
        ms_per_page=only(folder, "pages", "nginx, gunicorn", page="room")["server_ms_per_request"],
    )


def results(folder: Path, scenario: str, contender: str, **parameters: Any) -> list[dict[str, Any]]:
    try:
        found = json.loads((folder / f"{scenario}.json").read_text())["results"]
    except (OSError, ValueError, KeyError):
        raise Missing(f"docs/bench/{scenario}.json cannot be read: `make bench` writes it.") from None
    fits = [
        result
        for result in found
        if result["contender"] == contender
        and not result["refused"]
        and parameters.items() <= result["parameters"].items()
    ]
    if not fits:
        wanted = ", ".join(f"{name} {value}" for name, value in parameters.items())
        raise Missing(f'docs/bench/{scenario}.json lacks {contender} {wanted}: make bench ARGS="--only {scenario}".')
    return fits


def only(folder: Path, scenario: str, contender: str, **parameters: Any) -> dict[str, float]:
    values: dict[str, float] = results(folder, scenario, contender, **parameters)[0]["values"]
    return values

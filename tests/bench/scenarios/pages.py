"""Pages and static files a second through nginx, from two workers of gunicorn; wrk asks, and checks each status."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from bench.frame import Bench
from bench.people.house import House
from bench.people.spent import seconds as spent
from bench.result import Result, Values
from servers.nginx import Nginx
from servers.process import Process
from visitor import Visitor, room_page

NAME: Final = "pages"
CONTENDER: Final = "nginx, gunicorn"
ROOM: Final = "pages"
MESSAGES: Final = 50  # that the room's page shows
CONNECTIONS: Final = 16
SECONDS, QUICK_SECONDS = 5, 2
WARM_UP_SECONDS: Final = 1
UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}
FILL: Final = """
from rooms.topics import RoomTopic
from topics import Person
room, person = RoomTopic(room=%(room)r), Person("guest:bench", "Otter 1", True)
for number in range(%(count)d):
    room.append({"body": "the quick brown fox " * 4}, by=person)
"""


async def run(bench: Bench) -> AsyncIterator[Result]:
    if not bench.wants(CONTENDER):
        return
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    with House(bench) as house:
        house.shell(FILL % {"room": ROOM, "count": MESSAGES})
        servers = started(house)
        base = f"http://127.0.0.1:{servers[0].port}"
        paths = {"lobby": "/", "room": room_page(ROOM), "static file": static_file(base)}
        runs: dict[str, list[Values | str]] = {name: [] for name in paths}
        for _ in range(bench.runs):
            for name, values in runs.items():
                bench.say(f"pages: {name}")
                await asked(base + paths[name], WARM_UP_SECONDS)
                before = sum(spent(server.pid) for server in servers)
                answer = await asked(base + paths[name], seconds)
                cpu = sum(spent(server.pid) for server in servers) - before
                values.append(answer if isinstance(answer, str) else answer | per_request(answer, cpu, seconds))
        for name, values in runs.items():
            yield Result.of(NAME, CONTENDER, {"page": name, "connections": CONNECTIONS}, values)


def started(house: House) -> tuple[Nginx, Process]:
    """Both on the server's core: what a visitor asks for passes through both."""
    web = house.web(PROXY_HOPS="1")
    nginx = house.kept(Nginx(web=[web.port], ws=[web.port]))
    return house.started(nginx), house.started(web)


def per_request(answer: Values, cpu: float, seconds: float) -> Values:
    """What nginx and gunicorn had of their core."""
    return {"server_ms_per_request": cpu / seconds / answer["requests_per_s"] * 1000, "server_cores": cpu / seconds}


def static_file(base: str) -> str:
    """The path of the style sheet, which has a hash in its name."""
    found = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', Visitor(base).get("/").text)
    assert found, "no style sheet with a hash in its name"
    return found[1]


async def asked(url: str, seconds: int) -> Values | str:
    command = [
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(CONNECTIONS),
        "--duration",
        f"{seconds}s",
        "--latency",
        url,
    ]
    wrk = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    report = (await wrk.communicate())[0].decode()
    return report if wrk.returncode else measured(report)


def measured(report: str) -> Values | str:
    """What wrk reports; its complaint where an answer was missing or no success."""
    if wrong := re.search(r"(Non-2xx or 3xx responses|Socket errors): .*", report):
        return wrong[0]
    (rate,) = re.findall(r"Requests/sec:\s+([\d.]+)", report)
    return {"requests_per_s": float(rate), "p50_ms": quantile(report, 50), "p99_ms": quantile(report, 99)}


def quantile(report: str, percent: int) -> float:
    """Milliseconds."""
    ((number, unit),) = re.findall(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", report, re.MULTILINE)
    return float(number) * UNITS[unit]

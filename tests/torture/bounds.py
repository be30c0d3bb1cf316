"""What a stack holds while nobody is there, and by how much that may be more than it was.

What people said stays, and whatever is kept of it. Everything else goes with those whom it was for.
"""

import re
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from servers.process import Process, descendants
from servers.stack import Stack

Held = dict[str, float]
"""Amounts by what they are of, such as `daphne-0: open files`."""


class Bound(NamedTuple):
    share: float  # of what was there before
    more: float
    why: str

    def of(self, before: float) -> float:
        return before * (1 + self.share) + self.more


# By the end of a name; the first that fits counts.
BOUNDS: Final = {
    "MB": Bound(0.1, 10, "allocators keep pages of which they need a part, and caches that are bounded fill up"),
    "open files": Bound(0, 4, "connections to Postgres and Redis come and go"),
    "tasks": Bound(0, 4, "what looks at the log now and then may be looking"),
    "connections to Postgres": Bound(0, 8, "pools grow when many ask at once, and shrink after ten minutes"),
    "connections to Redis": Bound(0, 2, "a worker that has published for the first time keeps its own"),
    "": Bound(0, 0, "nobody is there"),
}
# Tables that grow by what is said, and those that are emptied later: `rooms_making` after a week.
GROWING: Final = {
    "rooms_making",
    "rooms_member",
    "rooms_opened",
    "topics_entry",
    "topics_filled",
    "topics_log",
    "topics_words",
}


def bound_of(name: str) -> Bound:
    return next(bound for ending, bound in BOUNDS.items() if name.endswith(ending))


def grown(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """A sentence for each amount that is out of its bound."""
    return [
        f"{name} were {before.get(name, 0):g} and are {now:g}: more than {most:g} ({bound.why})"
        for name, now in after.items()
        if now > (most := round((bound := bound_of(name)).of(before.get(name, 0)), 1))
    ]


def held(stack: Stack) -> Held:
    """Takes part of a second."""
    return dict(amounts(stack))


def amounts(stack: Stack) -> Iterator[tuple[str, float]]:
    for process in (*stack.application, stack.nginx):
        yield f"{process.name}: MB", round(sum(map(kilobytes, tree(process))) / 1024, 1)
        yield f"{process.name}: open files", sum(map(open_files, tree(process)))
    for process in stack.ws:
        numbers = told(process)
        for what in ("sockets", "tasks", "rooms"):
            yield f"{process.name}: {what}", numbers[f"realtime_{what}"]
        yield f"{process.name}: MB waiting for clients", numbers["realtime_waiting_bytes"] / 2**20
    yield "redis: MB", round(int(of_redis(stack, "INFO memory", r"used_memory:(\d+)")) / 2**20, 1)
    yield "connections to Redis", stack.redis.clients()
    yield "redis: keys", int(of_redis(stack, "DBSIZE", r":(\d+)"))
    yield "redis: channels", int(of_redis(stack, "PUBSUB CHANNELS", r"\*(\d+)"))
    yield "connections to Postgres", stack.database.rows(CONNECTIONS)[0][0]
    for (table,) in stack.database.rows(TABLES, [sorted(GROWING)]):
        yield f"rows of {table}", stack.database.rows(f'SELECT count(*) FROM "{table}"')[0][0]


CONNECTIONS: Final = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s) ORDER BY 1"


def tree(process: Process) -> list[int]:
    return [process.pid, *descendants(process.pid)]


def kilobytes(pid: int) -> int:
    """A process's own memory, without what it shares with others; 0 where it has just ended."""
    with suppress(OSError):
        return int(re.findall(r"^Pss_Anon:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[0])
    return 0


def open_files(pid: int) -> int:
    with suppress(OSError):
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return 0


def told(process: Process) -> dict[str, float]:
    """The process's own numbers without labels."""
    port = (process.env or {})["METRICS_PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = re.findall(r"^(\w+) (\S+)$", answer.read().decode(), re.MULTILINE)
    return {name: float(number) for name, number in found}


def of_redis(stack: Stack, command: str, pattern: str) -> str:
    """Behind the answer to AUTH."""
    found = re.search(pattern, stack.redis.ask(command).partition("+OK\r\n")[2])
    assert found, command
    return found[1]

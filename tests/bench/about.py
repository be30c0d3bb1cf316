"""What a result is worth nothing without: the machine, the date, the command, and everybody's versions."""

import datetime
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.contenders.socketio import FOLDER, NODE

PACKAGES = (
    *("django", "channels", "channels-redis", "daphne", "twisted", "autobahn", "uvicorn", "websockets", "uvloop"),
    *("redis", "psycopg", "picows", "aiofastnet"),
)
NODE_PACKAGES = ("socket.io", "@socket.io/redis-adapter", "ws", "bufferutil", "redis")


def about(runs: int, quick: bool, server_core: int, load_core: int) -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": command(sys.argv[1:]),
        "commit": commit(),
        "machine": machine(),
        "cores": f"server on {server_core}; load, Redis and Postgres on {load_core}",
        "runs": runs,
        "quick": quick,
        "versions": versions(),
    }


def command(arguments: list[str]) -> str:
    """As one would type it."""
    words = shlex.join(arguments).replace('"', r"\"")
    return f'make bench ARGS="{words}"' if arguments else "make bench"


def commit() -> str:
    changed = printed("git", "status", "--porcelain", "app", "tests", match=r"(\S)")
    return printed("git", "log", "-1", "--format=%h", match=r"(\w+)") + " with changes" * bool(changed)


def machine() -> str:
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def versions() -> dict[str, str]:
    found = {
        "Python": platform.python_version(),
        "Redis": printed("redis-server", "--version", match=r"v=(\S+)"),
        "Postgres": printed(postgres(), "--version", match=r"([\d.]+)"),
        "nginx": printed("nginx", "-v", match=r"nginx/(\S+)"),
        "nchan": printed("dpkg-query", "-W", "libnginx-mod-nchan", match=r"\t(\S+)"),
        "Node": printed(NODE, "--version", match=r"v(\S+)"),
    }
    found |= {name: version(name) for name in PACKAGES}
    found |= {f"{name} (npm)": node_version(name) for name in NODE_PACKAGES}
    return {name: number for name, number in found.items() if number}


def printed(*command: str, match: str) -> str:
    """What the program says about itself; empty where there is no such program."""
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        return ""
    said = subprocess.run([program, *command[1:]], capture_output=True, text=True)
    found = re.search(match, said.stdout + said.stderr)
    return found[1] if found else ""


def postgres() -> str:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return str(programs[-1]) if programs else "postgres"


def node_version(name: str) -> str:
    manifest = FOLDER / "node_modules" / name / "package.json"
    found = re.search(r'"version": "([^"]+)"', manifest.read_text()) if manifest.exists() else None
    return found[1] if found else ""

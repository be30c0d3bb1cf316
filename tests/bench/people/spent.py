"""CPU time of servers whose threads and children come and go, as those of Postgres do."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds(pid: int) -> float:
    """What the process and all that descend from it have had so far, also those that have ended."""
    return _ticks(pid) / TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # has just ended; the next look finds it in its parent's account
    user, system, childrens_user, childrens_system = map(int, fields[11:15])
    return user + system + childrens_user + childrens_system + sum(_ticks(int(child)) for child in children)

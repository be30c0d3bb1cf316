"""What processes use, as the kernel counts it, and the core that they are bound to."""

import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LISTEN = "0A"  # in /proc/net/tcp


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that all threads of these processes have had so far."""
    return sum(_thread_seconds(pid) for pid in pids)


def _thread_seconds(pid: int) -> float:
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def memory_kb(pids: Iterable[int]) -> float:
    """Proportional set size: resident, what is shared counted once."""
    return sum(_rolled_up(pid) for pid in pids)


def kernel_kb() -> float:
    """What the kernel has in small pieces, those of sockets among them, and in queues of TCP. Of the whole machine."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    slab = sum(float(line.split()[1]) for line in lines if line.startswith("Slab:"))
    [tcp] = [line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:")]
    return slab + int(tcp.split("mem ")[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def _rolled_up(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("Pss:"))


def tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def listens(pid: int, port: int) -> bool:
    """Is it this process that accepts connections there, and not somebody else?"""
    rows = (line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:])
    listening = {f"socket:[{row[9]}]" for row in rows if row[3] == LISTEN and row[1].endswith(f":{port:04X}")}
    return any(_target(file) in listening for file in Path(f"/proc/{pid}/fd").iterdir())


def _target(file: Path) -> str:
    try:
        return os.readlink(file)
    except FileNotFoundError:
        return ""  # closed since it was listed


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started meanwhile runs on this core alone, for all its life."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_many_files() -> None:
    """As many open sockets as the kernel lets this process and its children have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

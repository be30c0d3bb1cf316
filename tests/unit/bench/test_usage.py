"""What the kernel says about processes."""

import os
import socket
import subprocess
import sys

from bench import usage


def test_a_port_is_known_to_be_ones_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        assert usage.listens(os.getpid(), port)
        other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
        assert not usage.listens(other.pid, port)
        other.communicate()
    assert not usage.listens(os.getpid(), port)


def test_what_is_started_on_a_core_stays_there_and_the_rest_does_not() -> None:
    before = os.sched_getaffinity(0)
    core = min(before)
    with usage.on_core(core):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    assert os.sched_getaffinity(child.pid) == {core}
    assert os.sched_getaffinity(0) == before
    assert child.pid in usage.tree(os.getpid())
    child.communicate()


def test_work_and_memory_are_counted() -> None:
    before = usage.cpu_seconds([os.getpid()])
    sum(range(1_000_000))
    assert usage.cpu_seconds([os.getpid()]) > before
    assert usage.memory_kb([os.getpid()]) > 1_000

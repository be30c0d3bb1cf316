"""Ports nobody listens on, below the range from which the kernel serves outgoing connections.

Where several processes test at once (pytest -n), each has ports of its own: one that is given, and on which nobody
listens at the moment, is not given to another.
"""

import os
import random
import socket

_FIRST, _LAST = 20_000, 32_000
_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
_choose = random.Random(os.getpid())
_given: set[int] = set()


def free_port() -> int:
    """A loopback TCP port that is free and was not given to anybody in this run."""
    while True:
        port = _choose.randrange(_FIRST + _PROCESS, _LAST, _PROCESSES)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def answers(port: int) -> bool:
    """Does somebody accept connections on this loopback port?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

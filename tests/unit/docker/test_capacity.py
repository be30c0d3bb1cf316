"""nginx refuses a socket too many before it runs out of memory, connections, files or ports."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KIB, MIB = 2**10, 2**20
UNITS = {"": 1, "k": KIB, "m": MIB, "g": 2**30}

# Measured under the container's nginx, the kernel's part included.
SOCKET_BYTES = 28 * KIB
IDLE_BYTES = 5 * KIB  # a connection that waits for its next request
TLS_BYTES = 35 * KIB  # more for either
WORKER_BYTES = 20 * MIB
SERVERS = 2  # as in the README's `--scale ws=2`
PORTS = 28_000  # that a connection to one server may begin from
SHARE = 1.5  # what one worker may have of the sockets, of its fair share


def found(file: str, pattern: str) -> list[str]:
    text = re.sub(r"(?m)#.*", "", (ROOT / file).read_text())
    return re.findall(pattern, text, re.MULTILINE)


def number(file: str, pattern: str) -> int:
    (only,) = set(found(file, pattern))
    return int(only)


def size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([kmg]?)", text)
    assert match
    return int(match[1]) * UNITS[match[2]]


def of_nginx(pattern: str, file: str = "docker-compose.yml") -> str:
    service = (ROOT / file).read_text().partition("\n  nginx:\n")[2].partition("\n\n")[0]
    match = re.search(pattern, service)
    assert match, pattern
    return match[1]


@pytest.fixture
def sockets() -> int:
    return number("nginx/limits.conf", r"limit_conn sockets (\d+);")


@pytest.fixture
def connections() -> int:
    """Of all workers."""
    return number("nginx/nginx.conf", r"^worker_processes (\d+);") * number(
        "nginx/nginx.conf", r"worker_connections (\d+);"
    )


def test_nginx_takes_the_sockets_that_the_servers_take(sockets: int) -> None:
    each = number("app/config/settings.py", r'whole\("MAX_SOCKETS", (\d+_?\d*)')
    assert sockets == SERVERS * each
    assert number("nginx/limits.conf", r"limit_conn sockets_per_address (\d+);") <= sockets
    assert each < PORTS


@pytest.mark.parametrize(("file", "more"), [("docker-compose.yml", 0), ("docker/tls.yml", TLS_BYTES)])
def test_they_fit_into_its_memory_with_everything_else(sockets: int, connections: int, file: str, more: int) -> None:
    zones = sum(
        size(each) for file in ("limits.conf", "nginx.conf") for each in found(f"nginx/{file}", r"zone=\w+:(\w+)")
    )
    needed = (
        sockets * (SOCKET_BYTES + more)
        + (connections - 2 * sockets) * (IDLE_BYTES + more)
        + number("nginx/nginx.conf", r"^worker_processes (\d+);") * WORKER_BYTES
        + size(of_nginx(r"/run/nginx:[^\"]*size=(\w+)"))
        + zones
    )
    assert needed < size(of_nginx(r"memory: (\w+)", file))


def test_each_worker_has_connections_and_files_for_more_than_its_share(sockets: int) -> None:
    workers = number("nginx/nginx.conf", r"^worker_processes (\d+);")
    files = number("docker-compose.yml", r"nofile: (\d+)")
    assert "reuseport" in (ROOT / "nginx/listen.conf").read_text(), "nothing else gives each of them a share"
    each = number("nginx/nginx.conf", r"worker_connections (\d+);")
    assert SHARE * 2 * sockets / workers < each < number("nginx/nginx.conf", r"worker_rlimit_nofile (\d+);") <= files

"""The stack as a stranger gets it: a clean copy of the repository, `docker compose`, a project of its own."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from servers.ports import free_port

ROOT = Path(__file__).parents[2]
HEALTHY_SECONDS = 180
COMMAND_SECONDS = 600  # enough for a build that downloads everything
# What the docker command itself may need of the caller's environment; a variable of the stack is none of it.
KEPT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
SERVERS = ("nginx", "web", "ws", "redis", "postgres")
ONCE = ("migrate", "secrets", "edge")
PORT_OF_SERVERS = 8000
ESTABLISHED = "01"


class CommandError(AssertionError):
    """What a command said before it failed."""


class Stack:
    """Commands run in `folder`, which tests may change: nobody else sees it."""

    MESSAGES = (
        "SELECT coalesce(json_agg(json_build_array(e.seq, client_id, data::json ->> 'body') ORDER BY e.seq), '[]')"
        " FROM topics_entry e JOIN topics_log l ON l.id = e.log_id WHERE l.name = 'room/' || :'room'"
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = f"stack-test-{secrets.token_hex(4)}"
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env |= {"COMPOSE_PROJECT_NAME": self.project, "HTTP_PORT": str(self.port)}
        copy_repository(folder)

    def compose(self, *arguments: str) -> str:
        return self.run("docker", "compose", *arguments)

    def run(self, *command: str) -> str:
        """What it printed; CommandError when it fails."""
        return run(command, self.folder, self.env)

    def up(self, ws: int = 2) -> None:
        """Returns when all is healthy."""
        self.compose("up", "--detach", "--wait", "--scale", f"ws={ws}")

    def down(self) -> None:
        self.compose("down")

    def remove(self) -> None:
        """With its volumes and its own images. What the builder keeps makes the next build fast."""
        images = self.compose("--profile", "backup", "config", "--images").split()
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "1")
        run(["docker", "image", "rm", "--force", *(image for image in images if image.startswith(self.project))])

    def ids(self, *services: str) -> dict[str, str]:
        """Of all servers, or of these: who keeps its id has not been replaced."""
        return {repr(container): container.id for container in self.containers(*(services or SERVERS))}

    def containers(self, *services: str) -> list["Container"]:
        """All there are, running or not, in the order of their numbers."""
        listed = self.compose("ps", "--all", "--quiet", *services).split()
        return sorted((Container(id) for id in listed), key=lambda container: container.number)

    def container(self, service: str) -> "Container":
        (only,) = self.containers(service)
        return only

    def settle(self) -> None:
        """Wait until every server is healthy."""
        running = self.containers(*SERVERS)
        until(lambda: all(each.healthy for each in running), "every container being healthy", HEALTHY_SECONDS)

    def sockets(self) -> Counter[str]:
        """How many connections nginx holds to each address."""
        rows = [row.split() for row in self.container("nginx").exec("cat", "/proc/net/tcp").splitlines()[1:]]
        return Counter(readable(row[2]) for row in rows if row[3] == ESTABLISHED)

    def logs(self, seconds: float) -> str:
        return self.compose("logs", "--no-color", "--timestamps", "--since", f"{seconds:.0f}s")

    def messages(self, room: str) -> list[tuple[int, str, str]]:
        """(seq, id, body) of everything the room's log holds, in order."""
        psql = ["psql", "--username=rooms", "--tuples-only", "--no-align", f"--set=room={room}"]
        command = ["docker", "exec", "--interactive", self.container("postgres").id, *psql]
        return [tuple(row) for row in json.loads(run(command, said=self.MESSAGES))]


class Container:
    """One container, which `docker` always answers about anew."""

    def __init__(self, id: str) -> None:
        self.id = id
        labels = self.inspect()["Config"]["Labels"]
        self.service: str = labels["com.docker.compose.service"]
        self.number = int(labels["com.docker.compose.container-number"])

    def __repr__(self) -> str:
        return f"{self.service}-{self.number}"

    def inspect(self) -> dict[str, Any]:
        return json.loads(run(["docker", "inspect", self.id]))[0]

    @property
    def healthy(self) -> bool:
        return self.inspect()["State"].get("Health", {}).get("Status") == "healthy"

    @property
    def restarts(self) -> int:
        return int(self.inspect()["RestartCount"])

    def exec(self, *command: str) -> str:
        return run(["docker", "exec", self.id, *command])

    def crash(self) -> None:
        """SIGKILL to all of its processes but the first, which then ends too.

        `docker kill` counts as stopped on purpose: no restart policy brings back what it ended.
        """
        subprocess.run(["docker", "exec", self.id, "sh", "-c", "kill -KILL -1"], capture_output=True)

    @property
    def address(self) -> str:
        """Where nginx finds its server, in the network that both are in and Postgres is not."""
        networks = self.inspect()["NetworkSettings"]["Networks"]
        (front,) = (network["IPAddress"] for name, network in networks.items() if name.endswith("_front"))
        return f"{front}:{PORT_OF_SERVERS}"


def copy_repository(folder: Path) -> None:
    """What a commit of everything that git does not ignore would hold."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def readable(address: str) -> str:
    """An address and port as /proc/net/tcp has them, like 0100007F:1F40."""
    host, port = address.split(":")
    return f"{socket.inet_ntoa(bytes.fromhex(host)[::-1])}:{int(port, 16)}"


def run(command: Sequence[str], folder: Path = ROOT, env: dict[str, str] | None = None, said: str | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=env, input=said, text=True, capture_output=True, timeout=COMMAND_SECONDS
    )
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def until(holds: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Ask again and again; AssertionError when it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"no {what} in {seconds} s"
        time.sleep(0.1)

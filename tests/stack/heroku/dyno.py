"""One dyno: a released image under Heroku's conditions."""

import json
import random
import shlex
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from stack.compose import ESTABLISHED, CommandError
from stack.heroku.containers import Container, Network, docker

MEMORY = "512m"
GRACE_SECONDS = 30


class Dyno(Container):
    """Any user, nothing writable but /tmp, no capability; the command is one string for a shell."""

    def __init__(self, name: str, image: str, command: str, config: Mapping[str, str], version: int, network: Network):
        self.name, self.image, self.command, self.version = name, image, command, version
        self.kind, _, number = name.partition(".")
        self.number = int(number)
        self.port = random.randrange(3000, 60000)
        self.leaving = False
        self.exit_code: int | None = None
        uid = str(random.randrange(20_000, 60_000))
        env = {**config, "PORT": str(self.port), "DYNO": name}
        super().__init__(
            docker(
                *("run", "--detach", "--network", network.name, "--user", f"{uid}:{uid}"),
                *("--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL"),
                *("--security-opt", "no-new-privileges", "--memory", MEMORY, "--memory-swap", MEMORY),
                *("--no-healthcheck", "--entrypoint", "/bin/sh"),
                *(part for variable in env for part in ("--env", variable)),
                *(image, "-c", command),
                env=env,
            )
        )
        self.where = (self.address, self.port)

    @property
    def up(self) -> bool:
        """It counts as up when it listens on its port."""
        with suppress(OSError), socket.create_connection(self.where, timeout=1):
            return True
        return False

    def connections(self) -> int:
        """That the router has open to it."""
        lines = [line.split() for line in self.exec("cat", "/proc/net/tcp", "/proc/net/tcp6").splitlines()]
        return sum(each[1].endswith(f":{self.port:04X}") and each[3] == ESTABLISHED for each in lines)

    def described(self, app: str) -> dict[str, object]:
        """As the Platform API does."""
        state = "up" if self.up else "starting" if self.running else "crashed"
        return {
            "id": self.id,
            "name": self.name,
            "type": self.kind,
            "command": self.command,
            "size": "Basic",
            "state": state,
            "app": {"name": app},
            "release": {"id": str(self.version), "version": self.version},
            "updated_at": "2026-01-01T00:00:00Z",
        }

    @property
    def running(self) -> bool:
        return bool(self.state["Running"])

    def wait_end(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        self.exit_code = int(self.state["ExitCode"])
        return True

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """SIGTERM to all of its processes, SIGKILL after the grace period."""
        with suppress(CommandError):
            self.signal_all(signal.SIGTERM)
        if not self.wait_end(grace):
            self.kill()
            self.wait_end(GRACE_SECONDS)

    def kill(self) -> None:
        with suppress(CommandError):  # it has ended meanwhile
            docker("kill", self.id)


def has_curl(image: str) -> bool:
    with suppress(CommandError):
        docker("run", "--rm", "--network", "none", "--entrypoint", "curl", image, "--version")
        return True
    return False


def command_of(image: str) -> str:
    """What the image says, as the one string that Heroku hands to a shell."""
    return shlex.join(json.loads(docker("inspect", "--format", "{{json .Config.Cmd}}", image)))

"""What Docker's engine is told: where Heroku's registry is, and by whom its certificate is signed.

The engine logs in and pushes by itself, outside of the namespaces in which the CLI runs. So a hosts file is laid over
its own, in the mount namespace that it lives in; its folder of authorities holds one more while the test runs.
"""

import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
AUTHORITIES = Path("/etc/docker/certs.d")
HOSTS = "/etc/hosts"


class Introduction:
    """From here on the engine finds `name` at `address`, and trusts it."""

    def __init__(self, folder: Path, name: str, address: str, authority: Path) -> None:
        self._namespace = f"--mount=/proc/{pid_of_engine()}/ns/mnt"
        self._trusted = AUTHORITIES / name
        self._trusted.mkdir(parents=True, exist_ok=True)
        shutil.copy(authority, self._trusted / "ca.crt")
        hosts = folder / "hosts-of-the-engine"
        hosts.write_text(f"{self._run('cat', HOSTS)}{address} {name}\n")
        self._run("mount", "--bind", str(hosts), HOSTS)

    def end(self) -> None:
        self._run("umount", HOSTS)
        shutil.rmtree(self._trusted)

    def _run(self, *words: str) -> str:
        return subprocess.run(["nsenter", self._namespace, *words], check=True, capture_output=True, text=True).stdout


def pid_of_engine() -> int:
    """Of whoever listens on its socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(ENGINE)
        credentials = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])

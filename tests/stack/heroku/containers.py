"""`docker`, for containers in the private network of one test run."""

import io
import json
import os
import secrets
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from stack.compose import KEPT, run

DOCKER = {name: os.environ[name] for name in KEPT if name in os.environ}


def docker(*words: str, env: Mapping[str, str] | None = None) -> str:
    """What it printed; CommandError when it fails."""
    return run(["docker", *words], env=DOCKER | dict(env or {})).strip()


def images(pattern: str) -> list[str]:
    """All names that fit the pattern, by tag and by digest."""
    line = "{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}"
    names = docker("images", "--digests", "--format", line, "--filter", f"reference={pattern}").split()
    return sorted({name for name in names if not name.endswith("<none>")})


class Network:
    def __init__(self) -> None:
        self.name = f"heroku-test-{secrets.token_hex(4)}"
        docker("network", "create", self.name)

    def remove(self) -> None:
        """With every container in it."""
        here = docker("ps", "--all", "--quiet", "--filter", f"network={self.name}").split()
        if here:
            docker("rm", "--force", "--volumes", *here)
        docker("network", "rm", self.name)


class Container:
    def __init__(self, id: str) -> None:
        self.id = id

    def inspect(self) -> Any:
        return json.loads(docker("inspect", self.id))[0]

    @property
    def state(self) -> Any:
        return self.inspect()["State"]

    @property
    def address(self) -> str:
        """Empty once it has ended."""
        (network,) = self.inspect()["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def exec(self, *words: str) -> str:
        return docker("exec", self.id, *words)

    def output(self) -> str:
        done = subprocess.run(["docker", "logs", self.id], env=DOCKER, capture_output=True, text=True)
        return done.stdout + done.stderr

    def follow(self) -> Iterator[str]:
        """Its lines as they come, until it has ended."""
        words = ["docker", "logs", "--follow", self.id]
        with subprocess.Popen(words, env=DOCKER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as logs:
            assert logs.stdout
            yield from logs.stdout

    def processes(self) -> list[int]:
        """As the machine numbers them."""
        return [int(line) for line in docker("top", self.id, "-eo", "pid").splitlines()[1:]]

    def signal_all(self, number: int) -> None:
        """To every process in it, as Heroku does."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.id)

    def put(self, folder: str, files: Mapping[str, str], owner: int) -> None:
        """Files that only their owner reads. The container need not run."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(f"{folder.strip('/')}/{name}")
                member.size, member.uid, member.gid, member.mode = len(text), owner, owner, 0o600
                tar.addfile(member, io.BytesIO(text.encode()))
        subprocess.run(["docker", "cp", "-a", "-", f"{self.id}:/"], env=DOCKER, input=archive.getvalue(), check=True)


def files_of(pair: tuple[Path, Path]) -> dict[str, str]:
    return {"server.crt": pair[0].read_text(), "server.key": pair[1].read_text()}

"""The stack on a swarm of one real engine, as `make swarm` brings it there."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from stack.compose import CommandError, Stack, run, until


class Swarm(Stack):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.env |= {"REPLICAS": "1", "DATABASE_POOL": "4"}  # four ws and their successors fit into Postgres

    def begin(self) -> None:
        run(["docker", "swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:2377"])

    def bring(self) -> str:
        """What `make swarm` said."""
        return self.run("bash", "-c", "make swarm 2>&1")

    def remove(self) -> None:
        run(["docker", "stack", "rm", self.project])
        mine = ["--filter", f"label=com.docker.stack.namespace={self.project}"]
        until(lambda: not run(["docker", "ps", "--quiet", *mine]).strip(), "the stack's end", 120)
        run(["docker", "swarm", "leave", "--force"])
        until(lambda: not self._left_over("volume", "{{.Name}}"), "its volumes' end", 60)
        images = run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]).split()
        run(["docker", "image", "rm", "--force", *(image for image in images if image.startswith(self.project))])

    def _left_over(self, kind: str, name: str) -> list[str]:
        left = [each for each in run(["docker", kind, "ls", "--format", name]).split() if each.startswith(self.project)]
        for each in left:
            with suppress(CommandError):
                run(["docker", kind, "rm", each])
        return left

    def scale(self, **services: int) -> None:
        asked = [f"{self.project}_{name}={count}" for name, count in services.items()]
        run(["docker", "service", "scale", *asked])

    def tasks(self, service: str) -> list[str]:
        """The containers that run, by their ids."""
        return run(["docker", "ps", "--quiet", "--filter", self._of(service)]).split()

    def healthy(self, service: str) -> list[str]:
        return run(["docker", "ps", "--quiet", "--filter", self._of(service), "--filter", "health=healthy"]).split()

    def _of(self, service: str) -> str:
        return f"label=com.docker.swarm.service.name={self.project}_{service}"

    def specification(self, service: str) -> dict[str, Any]:
        """Of its containers."""
        found = json.loads(run(["docker", "service", "inspect", f"{self.project}_{service}"]))[0]
        return dict(found["Spec"]["TaskTemplate"]["ContainerSpec"])

    def inside(self, service: str, *command: str, said: str | None = None) -> str:
        (id,) = self.tasks(service)
        return run(["docker", "exec", "--interactive", id, *command], said=said)

    def messages(self, room: str) -> list[tuple[int, str, str]]:
        psql = ["psql", "--username=rooms", "--tuples-only", "--no-align", f"--set=room={room}"]
        return [tuple(row) for row in json.loads(self.inside("postgres", *psql, said=self.MESSAGES))]

"""What `docker compose config` says, in the words of `docker stack deploy`, which knows fewer of them.

Nothing of a service is written here a second time. What a stack cannot say has something else in its place:

    depends_on       what comes first is deployed first (`Stack.phases`)
    secrets, edge    two volumes of compose, of one machine: secrets and configs of the swarm
    files            the same volume on one machine, where web and ws stay with it; none where STORAGE_URL is a bucket
    group_add        whose secrets a service may read
    short tmpfs      mounts, since a stack drops them without a word; so does /dev/shm
    security_opt     nothing: no container has capabilities or a user that could gain something by it
    host_ip          nothing: nginx listens on every address of its machine
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from swarm.engine import ROOT

Service = dict[str, Any]

SAME = ("command", "init", "read_only", "cap_drop", "user", "stop_grace_period", "ulimits", "logging", "healthcheck")
SERVERS = ("web", "ws")  # replaced by successors beside them
EDGE = "nginx"
ONCE = "migrate"
MADE_ELSEWHERE = {"secrets", "edge"}  # volumes
FILES = "files"  # another one, which nobody needs where STORAGE_URL is a bucket
NGINX = "/etc/nginx/edge/current"
# Compose's own entrypoint notes which configuration it runs with, for a reload. Here another one is another container.
START_NGINX = f'sh {NGINX}/trust.sh >/run/nginx/proxies.conf && exec "$$0" "$$@"'
UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
# All new ones start at once beside the old ones, so that nobody comes back to one that leaves. One that ends, or is not
# healthy, within this time brings back the old version.
ROLLING = {"order": "start-first", "parallelism": 0, "monitor": "15s", "failure_action": "rollback"}
ALONE = {"order": "stop-first", "parallelism": 1, "monitor": "15s", "failure_action": "rollback"}
# Compose shows who is unhealthy, a swarm ends it. On a machine that is busy for a while nobody may be taken for dead.
PATIENCE = 12  # checks, of which there is one in 10 s


class Stack:
    """`images` names what each service runs, `groups` the group of each secret."""

    def __init__(self, name: str, config: dict[str, Any], images: dict[str, str], groups: dict[str, int]) -> None:
        self.name, self.images, self.groups = name, images, groups
        self._config = config
        self.services = {
            name: service
            for name, service in config["services"].items()
            if name == ONCE or service.get("restart") != "no"
        }

    def phases(self) -> list[list[str]]:
        """The services in the order in which they need each other."""
        stores = [name for name in self.services if name not in {*SERVERS, EDGE, ONCE}]
        return [phase for phase in (stores, [ONCE], list(SERVERS), [EDGE]) if phase]

    def of(self, names: list[str], **commands: list[str]) -> dict[str, Any]:
        """The file for these services. `commands` are others than compose has."""
        services = {name: self._service(name) for name in names}
        for name, command in commands.items():
            services[name]["command"] = command
        configs = nginx_files() if EDGE in names else {}
        return {
            "version": "3.13",
            "services": services,
            "networks": {
                name: {key: True for key in ("internal",) if given.get(key)}
                for name, given in self._config["networks"].items()
                if any(name in service["networks"] for service in services.values())
            },
            "volumes": {
                mount["source"]: {}
                for service in services.values()
                for mount in service["volumes"]
                if mount["type"] == "volume" and "source" in mount
            },
            "secrets": {
                secret["source"]: {"external": True, "name": f"{self.name}_{secret['source']}"}
                for service in services.values()
                for secret in service["secrets"]
            },
            "configs": {
                name: {"file": str(path), "name": f"{self.name}_{name}_{digest(path)}"}
                for name, path in configs.items()
            },
        }

    def _service(self, name: str) -> Service:
        given = self.services[name]
        made: Service = {key: given[key] for key in SAME if given.get(key) is not None}
        made["image"] = self.images[name]
        if "healthcheck" in made:
            made["healthcheck"] = made["healthcheck"] | {"retries": PATIENCE}
        made["environment"] = {
            key: value for key, value in (given.get("environment") or {}).items() if value is not None
        }
        made["networks"] = list(given["networks"])
        made["volumes"] = [*volumes(given), *scratch(given)]
        made["secrets"] = [
            # Its one process may read it, whatever user that is.
            {"source": secret, "target": secret, "mode": 0o444}
            for secret, group in sorted(self.groups.items())
            if str(group) in given.get("group_add", ())
        ]
        if given.get("entrypoint") is not None:
            made["entrypoint"] = given["entrypoint"]
        if given.get("ports"):
            made["ports"] = [port(each) for each in given["ports"]]
        if name == EDGE:
            made["entrypoint"] = ["sh", "-c", START_NGINX]
            made["configs"] = [{"source": file, "target": f"{NGINX}/{file}", "mode": 0o444} for file in nginx_files()]
        made["deploy"] = self._deploy(name, given, made)
        return made

    def _deploy(self, name: str, given: Service, made: Service) -> dict[str, Any]:
        asked = given["deploy"]
        deploy: dict[str, Any] = {"resources": asked["resources"], "endpoint_mode": "dnsrr"}
        if name == ONCE:
            return deploy | {"mode": "replicated-job", "restart_policy": {"condition": "none"}}
        deploy["replicas"] = int(asked.get("replicas") or 1)
        deploy["restart_policy"] = {"condition": "any", "delay": "1s"}
        deploy["update_config"] = dict(ROLLING if name in SERVERS else ALONE)
        deploy["rollback_config"] = deploy["update_config"] | {"failure_action": "pause"}
        stays = made.get("ports") or any(mount["type"] != "tmpfs" for mount in made["volumes"])
        deploy["placement"] = (
            {"constraints": [f"node.labels.{self.label} == yes"]} if stays else {"preferences": [{"spread": "node.id"}]}
        )
        return deploy

    @property
    def label(self) -> str:
        """Of the machine that has the data, and that people reach."""
        return f"{self.name}-stays"


def nginx_files() -> dict[str, Path]:
    return {path.name: path for path in sorted((ROOT / "nginx").iterdir())}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def volumes(given: Service) -> list[dict[str, Any]]:
    """Those that stay on one machine."""
    kept = []
    stored = (given.get("environment") or {}).get("STORAGE_URL") or ""
    elsewhere = MADE_ELSEWHERE if stored.startswith("file:") else MADE_ELSEWHERE | {FILES}
    for mount in given.get("volumes") or ():
        if mount["type"] == "volume" and mount.get("source") in elsewhere:
            continue
        kept.append({key: mount[key] for key in ("type", "source", "target", "read_only") if key in mount})
    return kept


def scratch(given: Service) -> list[dict[str, Any]]:
    """`/tmp:size=32m,mode=1777`, as a mount; anybody may write into it."""
    found = []
    for place in given.get("tmpfs") or ():
        target, _, options = place.partition(":")
        size = re.search(r"\bsize=(\d+)([kmg]?)", options)
        if not size:
            raise ValueError(f"{place} has no size")
        found.append((target, int(size[1]) * UNITS[size[2]]))
    if given.get("shm_size"):
        found.append(("/dev/shm", int(given["shm_size"])))
    return [{"type": "tmpfs", "target": target, "tmpfs": {"size": size}} for target, size in found]


def port(given: dict[str, Any]) -> dict[str, Any]:
    """Of the machine itself: clients keep their addresses, and nothing depends on the routing mesh."""
    return {
        "target": int(given["target"]),
        "published": int(given["published"]),
        "protocol": given.get("protocol", "tcp"),
        "mode": "host",
    }

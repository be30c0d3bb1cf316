"""Pods of rendered Kubernetes objects, run by podman, which reads them as a kubelet would.

What Debian 12's podman (4.3) cannot do is done here in its place, and nowhere else: Secrets become values, Services
become lines in /etc/hosts, fsGroup is Postgres' affair. It knows neither Jobs nor preStop, and without systemd it runs
no probes. It needs runc, and its own folders, so that nobody else's containers are touched.
"""

import copy
import itertools
import json
import os
import secrets
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from stack.compose import run, until

Object = dict[str, Any]
LIMITS = '[containers]\ndefault_ulimits=["nofile=20000:20000","nproc=4096:4096"]\n'


class Podman:
    def __init__(self, objects: Sequence[Object]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="podman-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        configuration = folder / "containers.conf"
        configuration.write_text(f'{LIMITS}[network]\nnetwork_config_dir="{folder}/networks"\n')
        self._env = os.environ | {"CONTAINERS_CONF": str(configuration)}
        self._command = ["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
        self._command += ["--root", f"{folder}/root", "--runroot", f"{folder}/run"]
        self.network = f"chart-{secrets.token_hex(3)}"
        self._subnet = f"10.{secrets.randbelow(60) + 140}.{secrets.randbelow(256)}"
        self._free = itertools.count(10)
        self.secrets = {each["metadata"]["name"]: each["stringData"] for each in objects if each["kind"] == "Secret"}
        services = [each["metadata"]["name"] for each in objects if each["kind"] == "Service"]
        self.addresses = {name: self.address() for name in services}

    def run(self, *arguments: str, said: str | None = None) -> str:
        return run([*self._command, *arguments], env=self._env, said=said)

    def begin(self, *images: str) -> dict[str, str]:
        """Docker's images by the names that they have here."""
        (Path(self._folder.name) / "networks").mkdir()
        self.run("network", "create", "--subnet", f"{self._subnet}.0/24", self.network)
        saved = subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE)
        subprocess.run([*self._command, "load", "--quiet"], env=self._env, stdin=saved.stdout, check=True, text=True)
        assert saved.wait() == 0
        there = [name for each in json.loads(self.run("images", "--format", "json")) for name in each["Names"]]
        return {image: next(name for name in there if name.endswith(f"/{image}")) for image in images}

    def end(self) -> None:
        self.run("pod", "rm", "--force", "--all", "--time", "1")
        self.run("network", "rm", "--force", self.network)
        self.run("rmi", "--force", "--all")
        self._folder.cleanup()

    def address(self) -> str:
        return f"{self._subnet}.{next(self._free)}"

    def claim(self, claim: Object) -> None:
        self.run("play", "kube", "-", said=yaml.safe_dump(claim))

    def play(self, made: Object, name: str = "", address: str = "") -> str:
        """Starts the pod of a Deployment, or a Pod; its address. Returns when its init containers have ended."""
        made = copy.deepcopy(made)
        name = name or made["metadata"]["name"]
        address = address or self.addresses.get(name) or self.address()
        made["metadata"]["name"] = name
        pod = made["spec"] if made["kind"] == "Pod" else made["spec"]["template"]["spec"]
        if made["kind"] == "Deployment":
            made["spec"]["replicas"] = 1
            pod["restartPolicy"] = "OnFailure"
        self._fit(pod, name)
        self.run("play", "kube", "--network", self.network, "--ip", address, "-", said=yaml.safe_dump(made))
        return address

    def _fit(self, pod: Object, name: str) -> None:
        pod["hostAliases"] = [{"ip": ip, "hostnames": [service]} for service, ip in self.addresses.items()]
        is_postgres = pod["securityContext"]["runAsUser"] == 999 and any(v["name"] == "run" for v in pod["volumes"])
        if is_postgres:
            pod["volumes"] = [volume for volume in pod["volumes"] if volume["name"] != "run"]
        scratch = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
        for volume in pod["volumes"]:
            volume["name"] += f"-{name}" * (volume["name"] in scratch)  # else all pods have one of that name
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            container.pop("ports", None)  # which it would publish on the host
            container["env"] = [plain for each in container.get("env", []) if (plain := self._plain(each))]
            mounts = [mount for mount in container["volumeMounts"] if not (is_postgres and mount["name"] == "run")]
            container["volumeMounts"] = [
                mount | {"name": mount["name"] + f"-{name}" * (mount["name"] in scratch)} for mount in mounts
            ]
            container["securityContext"]["readOnlyRootFilesystem"] = not is_postgres

    def _plain(self, variable: Object) -> Object | None:
        ref = variable.get("valueFrom", {}).get("secretKeyRef")
        if not ref:
            return variable
        value = self.secrets[ref["name"]].get(ref["key"])
        return {"name": variable["name"], "value": value} if value is not None else None

    def container(self, name: str) -> str:
        """Of the only container in the pod of a Deployment, or of a Pod."""
        listed = json.loads(self.run("ps", "--all", "--format", "json"))
        (found,) = (each["Names"][0] for each in listed if each["Names"][0].startswith(f"{name}-pod-0-"))
        return str(found)

    def stop(self, name: str, seconds: int) -> None:
        """As a kubelet does after preStop: SIGTERM, and SIGKILL after so long."""
        self.run("pod", "stop", "--time", str(seconds), f"{name}-pod-0")
        self.run("pod", "rm", f"{name}-pod-0")

    def crash(self, name: str) -> None:
        container = self.container(name)
        before = self.started(container)
        run(["kill", "-KILL", self.run("inspect", "--format", "{{.State.Pid}}", container).strip()])
        until(lambda: self.started(container) not in {before, ""}, f"{name} being started again", 60)

    def started(self, container: str) -> str:
        """When, and nothing while it does not run."""
        state = "{{if .State.Running}}{{.State.StartedAt}}{{end}}"
        return self.run("inspect", "--format", state, container).strip()

"""python3 -m swarm, in docker/: brings the stack to a swarm, for the first time or as a new version while people talk.

Builds, checks, makes the secrets once, migrates once, and then replaces web and ws: all new ones start beside the old
ones, and when they are healthy the old ones say goodbye to their sockets. A new version that cannot be built, migrated
or started leaves the old one running: exit status 1.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
from typing import Any

from deploy.programs import Refused, within
from swarm.engine import Failed, docker, say, text
from swarm.stack import EDGE, ONCE, SERVERS, Stack

LEAST_ENGINE = 26  # `docker stack deploy --detach=false`, which says what became of an update
SETTLE_SECONDS = 400
MIGRATE_SECONDS = 3600
INTERRUPTED = 130
ENDED = "{{if .UpdateStatus}}{{.UpdateStatus.State}} {{.UpdateStatus.Message}}{{end}}"


def main() -> int:
    try:
        bring()
    except Refused as refused:
        say(str(refused))
        return 1
    except Failed as failed:
        failed.show()
        say("Docker failed, as said above.")
        return 1
    except KeyboardInterrupt:
        say("Interrupted. What has begun goes on by itself: `docker stack ps` shows what becomes of it.")
        return INTERRUPTED
    return 0


def bring() -> None:
    """Raises Refused and Failed."""
    nodes = look_at_swarm()
    config = json.loads(docker("compose", "config", "--format", "json"))
    name = config["name"]
    if "certificates" in config["services"]:
        raise Refused(
            "DOMAIN and docker/tls.yml are compose's: on a swarm a proxy in front ends TLS (TRUSTED_PROXIES)."
        )
    images = build(config, nodes)
    check(config, images)
    stack = Stack(name, config, images, secrets(config, images))
    choose_machine(stack)
    before = {service: task_of(name, service) for service in SERVERS}
    for phase in stack.phases():
        if phase == [ONCE]:
            migrate(stack, update=all(before.values()))
            continue
        say(f"bringing {' and '.join(phase)}")
        try:
            deploy(stack, phase)
        except Failed as failed:
            failed.show()
            give_up(stack, phase, before)
    forget_old_configs(stack)
    (port,) = (each["published"] for each in config["services"][EDGE]["ports"])
    say(f"done: port {port} of the machine that nginx runs on")


# --- what it needs ---


def look_at_swarm() -> int:
    """How many machines there are."""
    try:
        version = text("version", "--format", "{{.Client.Version}}")
        state, manages, nodes = text(
            "info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Nodes}}"
        ).split()
    except Failed as failed:
        failed.show()
        raise Refused("No Docker engine answers: start it; `docker info` says more.") from None
    if int(re.split(r"\D", version)[0]) < LEAST_ENGINE:
        raise Refused(f"Docker {LEAST_ENGINE} or newer is needed, and this is {version}.")
    if state != "active" or manages != "true":
        raise Refused("This engine manages no swarm: `docker swarm init` makes one of this machine, others join it.")
    return int(nodes)


def build(config: dict[str, Any], nodes: int) -> dict[str, str]:
    """What each service runs, by a name that means the same for ever: it is what a rollback goes back to."""
    services = config["services"]
    named = {name: service.get("image") or f"{config['name']}-{name}" for name, service in services.items()}
    built = {named[name] for name, service in services.items() if service.get("build")}
    if not built:
        return named
    if nodes > 1:
        raise Refused(
            "Other machines of the swarm cannot see images that are built here: push them to a registry, and take them "
            "from there by docker/published.yml (IMAGES, RELEASE)."
        )
    say("building")
    try:
        docker("compose", "build")
    except Failed as failed:
        failed.show()
        raise Refused("The new version cannot be built. Nothing was changed.") from None
    lasting = {}
    for image in built:
        id = text("image", "inspect", "--format", "{{.Id}}", image).partition(":")[2]
        lasting[image] = f"{image}:{id[:12]}"
        docker("tag", image, lasting[image])
    return {name: lasting.get(image, image) for name, image in named.items()}


def check(config: dict[str, Any], images: dict[str, str]) -> None:
    edge = config["services"]["edge"]
    words = ["run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL"]
    words += [f"--tmpfs={place}" for place in edge["tmpfs"]]
    words += [f"--env={name}={value}" for name, value in edge["environment"].items()]
    try:
        docker(*words, images["edge"], "check")
    except Failed as failed:
        failed.show()
        raise Refused("nginx refuses its new configuration, in nginx/. Nothing was changed.") from None


def secrets(config: dict[str, Any], images: dict[str, str]) -> dict[str, int]:
    """Their groups. The first time they are made, by the container that makes them for compose, and they stay."""
    stack = config["name"]
    there = text("secret", "ls", "--quiet", "--filter", f"label=com.docker.stack.namespace={stack}").split()
    if there:
        found = json.loads(docker("secret", "inspect", *there))
        labels = {each["Spec"]["Name"]: each["Spec"]["Labels"] for each in found}
        return {name.removeprefix(f"{stack}_"): int(own["group"]) for name, own in labels.items() if "group" in own}
    say("making the keys and passwords")
    maker = config["services"]["secrets"]
    words = ["run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL"]
    words += ["--tmpfs=/run/secrets:uid=10000,gid=10000,mode=700"]
    words += [f"--group-add={group}" for group in maker["group_add"]]
    make = "python -I -S /generate.py /run/secrets >&2 && exec tar -C /run/secrets -c ."
    groups = {}
    with tarfile.open(fileobj=io.BytesIO(docker(*words, images["secrets"], "sh", "-c", make))) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            if content and str(member.gid) in maker["group_add"]:  # else it is what no service reads
                name = member.name.removeprefix("./")
                groups[name] = member.gid
                keep_secret(stack, name, member.gid, content.read())
    return groups


def keep_secret(stack: str, name: str, group: int, content: bytes) -> None:
    labels = (f"--label=com.docker.stack.namespace={stack}", f"--label=group={group}")
    docker("secret", "create", *labels, f"{stack}_{name}", "-", given=content)


def choose_machine(stack: Stack) -> None:
    """Volumes are of one machine, and so is the address that people know."""
    if not text("node", "ls", "--quiet", "--filter", f"node.label={stack.label}=yes"):
        me = text("info", "--format", "{{.Swarm.NodeID}}")
        docker("node", "update", "--label-add", f"{stack.label}=yes", me)
        say(f"this machine keeps the data and has nginx: the label {stack.label} says so")


# --- what it does ---


def deploy(stack: Stack, names: list[str], *, wait: bool = True, **commands: list[str]) -> None:
    """Raises Failed where it does not become healthy, and where the old version was brought back."""
    words = ["stack", "deploy", f"--detach={'false' if wait else 'true'}", "--resolve-image=never"]
    words += ["--with-registry-auth", "--compose-file=-", stack.name]
    docker(*words, given=json.dumps(stack.of(names, **commands)).encode(), seconds=SETTLE_SECONDS)
    if not wait:
        return
    # A rollback is no failure to the command.
    ended = {name: text("service", "inspect", "--format", ENDED, f"{stack.name}_{name}") for name in names}
    if back := [f"{name}: {how}" for name, how in ended.items() if how.startswith("rollback")]:
        raise Failed("\n".join(back))


def migrate(stack: Stack, *, update: bool) -> None:
    """Once, by a job. While a version serves, that one must be able to live with it."""
    say("migrating")
    command = list(stack.services[ONCE]["command"])
    if update:
        command = ["sh", "-euc", 'python manage.py check_migrations && exec "$$@"', "sh", *command]
    before = job_runs(stack)
    deploy(stack, [ONCE], wait=False, **{ONCE: command})
    states: list[str] = []

    def ended() -> bool:
        states[:] = [state for id, state in job_runs(stack).items() if id not in before]
        return bool(states) and states[0] in {"complete", "failed", "rejected"}

    within(MIGRATE_SECONDS, ended)
    if states[:1] != ["complete"]:
        print(docker("service", "logs", "--raw", "--tail=30", f"{stack.name}_{ONCE}").decode(), file=sys.stderr)
        raise Refused("The migration was refused or has failed, as said above. The old version goes on.")


def job_runs(stack: Stack) -> dict[str, str]:
    """What became of each task of the migration."""
    try:
        ids = text("service", "ps", "--quiet", "--no-trunc", f"{stack.name}_{ONCE}").split()
    except Failed:
        return {}
    return {each["ID"]: each["Status"]["State"] for each in json.loads(docker("inspect", *ids))} if ids else {}


def task_of(stack: str, service: str) -> str:
    """What its containers are made of; nothing where there is no such service."""
    try:
        return text("service", "inspect", "--format", "{{json .Spec.TaskTemplate}}", f"{stack}_{service}")
    except Failed:
        return ""


def give_up(stack: Stack, phase: list[str], before: dict[str, str]) -> None:
    """A service that failed has brought back its old version by itself; the other one of the two follows it."""
    for name in phase:
        if before.get(name) and task_of(stack.name, name) != before[name]:
            docker("service", "rollback", "--detach=false", "--quiet", f"{stack.name}_{name}", seconds=SETTLE_SECONDS)
    wrong = f"`docker service ps --no-trunc {stack.name}_{phase[0]}` shows why"
    if all(before.get(name) for name in phase):
        raise Refused(f"The new version does not become healthy: {wrong}. The old version goes on.")
    raise Refused(f"{' and '.join(phase)} did not become healthy: {wrong}.")


def forget_old_configs(stack: Stack) -> None:
    wanted = {each["name"] for each in stack.of([EDGE])["configs"].values()}
    there = text("config", "ls", "--format", "{{.Name}}", "--filter", f"label=com.docker.stack.namespace={stack.name}")
    for name in set(there.split()) - wanted:
        try:
            docker("config", "rm", name)
        except Failed:
            continue  # a task that ends still has it


if __name__ == "__main__":
    sys.exit(main())

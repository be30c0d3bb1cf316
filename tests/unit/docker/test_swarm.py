"""The stack file of `make swarm`: everything that compose says is said to the swarm, or knowingly left out."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.stack import EDGE, ONCE, SAME, SERVERS, Stack, nginx_files, scratch

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
# What a stack says in other words, or cannot say (swarm/stack.py has what stands in its place).
IN_OTHER_WORDS = {"environment", "entrypoint", "networks", "volumes", "tmpfs", "shm_size", "ports", "deploy", "image"}
IN_ITS_PLACE = {"depends_on", "group_add", "security_opt", "restart", "build"}
GROUPS = {"secret_key": 10001, "database_url": 10001, "postgres_password": 10002, "migrate_database_url": 10004}

Service = dict[str, Any]


def configured(**set_to: str) -> dict[str, Any]:
    """As `docker compose config --format json` has it, as far as is read of it."""
    services: dict[str, Service] = {}
    for name, given in COMPOSE["services"].items():
        if "profiles" in given:
            continue
        service = dict(given)
        pairs = [each.partition("=") for each in given.get("environment", [])]
        service["environment"] = {key: as_is(value) if sign else None for key, sign, value in pairs} | set_to
        service["networks"] = dict.fromkeys(given.get("networks", []))
        mounts = [each.split(":") for each in given.get("volumes", [])]
        service["volumes"] = [{"type": "volume", "source": each[0], "target": each[1]} for each in mounts]
        service["ports"] = [{"host_ip": "127.0.0.1", "target": 8080, "published": "8080"}] if "ports" in given else []
        if "shm_size" in given:
            service["shm_size"] = str(128 * 2**20)
        replicas = str(given["deploy"].get("replicas", "1"))
        service["deploy"] = given["deploy"] | {"replicas": 4 if "REPLICAS" in replicas else None}
        services[name] = service
    networks = {name: {"name": f"rooms_{name}", **(given or {})} for name, given in COMPOSE["networks"].items()}
    return {"name": "rooms", "services": services, "networks": networks}


def as_is(value: str) -> str:
    """Where nobody has set the variable."""
    return re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)


def stack_of(config: dict[str, Any]) -> Stack:
    return Stack("rooms", config, {name: f"rooms-{name}:1" for name in config["services"]}, GROUPS)


@pytest.fixture
def stack() -> Stack:
    return stack_of(configured())


@pytest.fixture
def services(stack: Stack) -> dict[str, Service]:
    return said_to(stack)


def said_to(stack: Stack) -> dict[str, Service]:
    return {name: service for phase in stack.phases() for name, service in stack.of(phase)["services"].items()}


def test_nothing_of_a_service_is_dropped_without_a_word() -> None:
    used = {key for service in configured()["services"].values() for key in service}
    once = {"network_mode"}  # of those who make the secrets and nginx' configuration
    assert used - set(SAME) - IN_OTHER_WORDS - IN_ITS_PLACE == once
    assert {key for name in (*SERVERS, EDGE, ONCE) for key in COMPOSE["services"][name]}.isdisjoint(once)


def test_what_others_need_is_brought_before_them(stack: Stack) -> None:
    assert stack.phases() == [["redis", "postgres"], ["migrate"], ["web", "ws"], ["nginx"]]
    told = {name for phase in stack.phases() for name in phase}
    for at, phase in enumerate(stack.phases()):
        later = {name for each in stack.phases()[at:] for name in each}
        for name in phase:
            assert told & set(COMPOSE["services"][name].get("depends_on", {})) & later == set(), name


def test_services_are_as_they_are_in_compose(services: dict[str, Service]) -> None:
    for name, service in services.items():
        given = COMPOSE["services"][name]
        check = service.get("healthcheck")
        if check:
            assert check["retries"] > given["healthcheck"]["retries"], "since a swarm ends who fails"
            service = service | {"healthcheck": check | {"retries": given["healthcheck"]["retries"]}}
        assert {key: service.get(key) for key in SAME} == {key: given.get(key) for key in SAME}, name
        assert service["deploy"]["resources"] == given["deploy"]["resources"], name
        assert service["deploy"]["endpoint_mode"] == "dnsrr", name
        assert service["networks"] == given["networks"], name
        targets = {mount["target"] for mount in service["volumes"] if mount["type"] == "tmpfs"}
        assert targets == {place.partition(":")[0] for place in given.get("tmpfs", [])} | (
            {"/dev/shm"} if "shm_size" in given else set()
        ), name
    assert services["ws"]["deploy"]["replicas"] == 4
    assert services["web"]["deploy"]["replicas"] == 1
    assert None not in services["web"]["environment"].values()
    assert services["web"]["environment"]["METRICS_PORT"]


def test_whoever_may_read_a_secret_in_compose_has_it_and_nobody_else(services: dict[str, Service]) -> None:
    read = {name: [secret["source"] for secret in service["secrets"]] for name, service in services.items()}
    assert read == {
        "web": ["database_url", "secret_key"],
        "ws": ["database_url", "secret_key"],
        "migrate": ["database_url", "migrate_database_url", "secret_key"],
        "postgres": ["postgres_password"],
        "redis": [],
        "nginx": [],
    }


def who_stays(stack: Stack) -> set[str]:
    """Whose machine is given."""
    here = {"constraints": [f"node.labels.{stack.label} == yes"]}
    return {name for name, service in said_to(stack).items() if service["deploy"].get("placement") == here}


def test_servers_are_replaced_beside_the_old_ones_and_what_has_one_machine_stays_there(
    stack: Stack, services: dict[str, Service]
) -> None:
    for name in SERVERS:
        rolling = services[name]["deploy"]["update_config"]
        assert (rolling["order"], rolling["parallelism"], rolling["failure_action"]) == ("start-first", 0, "rollback")
    assert who_stays(stack) == {"postgres", "nginx", "web", "ws"}, "the last two have people's files"
    assert who_stays(stack_of(configured(STORAGE_URL="s3://key:secret@s3.example.org/files"))) == {"postgres", "nginx"}
    assert services[ONCE]["deploy"]["mode"] == "replicated-job"
    assert services[ONCE]["deploy"]["restart_policy"] == {"condition": "none"}


def test_a_changed_file_of_nginx_is_another_config(stack: Stack) -> None:
    file = stack.of([EDGE])
    assert {name: config["file"] for name, config in file["configs"].items()} == {
        name: str(path) for name, path in nginx_files().items()
    }
    assert all(
        re.fullmatch(rf"rooms_{re.escape(name)}_[0-9a-f]{{12}}", c["name"]) for name, c in file["configs"].items()
    )
    assert {each["target"] for each in file["services"][EDGE]["configs"]} == {
        f"/etc/nginx/edge/current/{path.name}" for path in (ROOT / "nginx").iterdir()
    }
    assert file["services"][EDGE]["ports"] == [{"target": 8080, "published": 8080, "protocol": "tcp", "mode": "host"}]
    compose = COMPOSE["services"][EDGE]["entrypoint"][-1]
    assert compose.endswith(file["services"][EDGE]["entrypoint"][-1]), "but for the note which one runs"


def test_internal_networks_have_no_way_out_there_either(stack: Stack) -> None:
    assert stack.of(list(SERVERS))["networks"] == {"front": {"internal": True}, "data": {"internal": True}}
    assert stack.of([EDGE])["networks"] == {"edge": {}, "front": {"internal": True}}


def test_scratch_room_without_a_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="/tmp:mode=1777 has no size"):
        scratch({"tmpfs": ["/tmp:mode=1777"]})

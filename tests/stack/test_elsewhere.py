"""Postgres and Redis are somewhere else: people talk by them, and none of the stack's own is started."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from client import enter, new_room
from servers.ports import free_port
from stack.compose import ROOT, CommandError, Stack, run, until

GATEWAY = ["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
POSTGRES, REDIS = "docker/postgres-elsewhere.yml", "docker/redis-elsewhere.yml"


class Elsewhere:
    """Services on an address of the host that containers reach from any network with a way out."""

    def __init__(self, name: str) -> None:
        self.name, self.host = name, run(["docker", *GATEWAY]).strip()
        self.postgres_port, self.redis_port = free_port(), free_port()

    def start(self) -> None:
        settings = ["--env=POSTGRES_USER=alice", "--env=POSTGRES_PASSWORD=p@55 word", "--env=POSTGRES_DB=talk"]
        self._run("postgres", f"{self.postgres_port}:5432", *settings, "postgres:17-trixie")
        self._run("redis", f"{self.redis_port}:6379", "redis:8-trixie", "redis-server", "--requirepass", "s3cret")
        ready = ["docker", "exec", f"{self.name}-postgres", "pg_isready", "--host=127.0.0.1"]
        until(lambda: succeeds(ready), "Postgres", 180)

    def _run(self, service: str, port: str, *rest: str) -> None:
        run(["docker", "run", "--detach", f"--name={self.name}-{service}", f"--publish={self.host}:{port}", *rest])

    def stop(self) -> None:
        run(["docker", "rm", "--force", "--volumes", f"{self.name}-postgres", f"{self.name}-redis"])

    def make_role_for_servers(self) -> None:
        """As docs/operate.md says."""
        psql = ["docker", "exec", "--interactive", f"{self.name}-postgres", "psql", "--set=ON_ERROR_STOP=1"]
        rights = (ROOT / "docker/postgres/rights.sql").read_text()
        run([*psql, "--username=alice", "--dbname=talk", "--command", "CREATE ROLE servers LOGIN PASSWORD 'word'"])
        run([*psql, "--username=alice", "--dbname=talk", "--set=servers=servers", "--file=-"], said=rights)

    def database_url(self, login: str = "alice:p%4055%20word") -> str:
        return f"postgres://{login}@{self.host}:{self.postgres_port}/talk"

    @property
    def redis_url(self) -> str:
        return f"redis://:s3cret@{self.host}:{self.redis_port}/0"

    def bodies(self) -> list[str]:
        """What was said, as its log has it."""
        query = ["psql", "--username=alice", "--dbname=talk", "--tuples-only", "--no-align"]
        return run(
            [
                "docker",
                "exec",
                f"{self.name}-postgres",
                *query,
                "--command",
                "SELECT data::json ->> 'body' FROM topics_entry",
            ]
        ).splitlines()


@pytest.fixture(scope="module")
def stack_of_alice(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Nothing of it runs."""
    stack = Stack(tmp_path_factory.mktemp("elsewhere"))
    yield stack
    stack.remove()


@pytest.fixture(scope="module")
def elsewhere(stack_of_alice: Stack) -> Iterator[Elsewhere]:
    services = Elsewhere(f"{stack_of_alice.project}-elsewhere")
    try:
        services.start()
        yield services
    finally:
        services.stop()


async def test_people_talk_by_services_elsewhere(stack_of_alice: Stack, elsewhere: Elsewhere) -> None:
    stack = stack_of_alice
    files = f"COMPOSE_FILE=docker-compose.yml:{POSTGRES}:{REDIS}"
    elsewhere.make_role_for_servers()
    urls = {"DATABASE_URL": elsewhere.database_url("servers:word"), "REDIS_URL": elsewhere.redis_url}
    urls["MIGRATE_DATABASE_URL"] = elsewhere.database_url()
    lines = [f"{name}={url}" for name, url in urls.items()]
    (stack.folder / ".env").write_text("\n".join([files, *lines, ""]))
    await asyncio.to_thread(stack.run, "make", "up")
    room = new_room()
    async with await enter(stack.ws_url, room) as alice, await enter(stack.ws_url, room) as bob:
        await alice.say("far away")
        await bob.hears("far away")
    assert elsewhere.bodies() == ["far away"]
    channels = run(["docker", "exec", f"{elsewhere.name}-redis", "redis-cli", "-a", "s3cret", "INFO", "commandstats"])
    assert "cmdstat_publish:" in channels
    assert "ok        rights:" in stack.run("make", "doctor", "STACK=1")
    assert "alice" not in json.dumps([each.inspect()["Config"]["Env"] for each in stack.containers("web", "ws")])
    assert services_of(stack) == {"edge", "migrate", "nginx", "secrets", "web", "ws"}
    assert {each.service for each in stack.containers()} == services_of(stack)


def test_without_redis_nobody_waits_for_one(stack_of_alice: Stack) -> None:
    files = "docker-compose.yml:docker/without-redis.yml"
    names = {**stack_of_alice.env, "COMPOSE_FILE": files, "COMPOSE_ENV_FILES": "/dev/null"}
    ask = ["docker", "compose", "config", "--format", "json"]
    config = json.loads(run(ask, stack_of_alice.folder, names))["services"]
    assert "redis" not in config
    for service in ("web", "ws", "migrate"):
        assert config[service]["environment"]["REDIS_URL"] == config[service]["environment"]["REDIS_URL_FILE"] == ""
        assert "redis" not in config[service]["depends_on"]


@pytest.mark.parametrize("compose", ["installed", "newest"])
@pytest.mark.parametrize(
    ("files", "env", "gone"),
    [
        ([POSTGRES], {"DATABASE_URL": "postgres://a@b/c"}, {"postgres"}),
        ([REDIS], {"REDIS_URL": "redis://b"}, {"redis"}),
        ([POSTGRES, REDIS], {"DATABASE_URL": "postgres://a@b/c", "REDIS_URL": "redis://b"}, {"postgres", "redis"}),
    ],
    ids=["Postgres", "Redis", "both"],
)
def test_each_alone_or_both_with_either_compose(
    stack_of_alice: Stack,
    newer_compose: str,
    compose: str,
    files: list[str],
    env: dict[str, str],
    gone: set[str],
) -> None:
    names = {
        **stack_of_alice.env,
        "COMPOSE_FILE": ":".join(["docker-compose.yml", *files]),
        "COMPOSE_ENV_FILES": "/dev/null",
    }
    if compose == "newest":
        names["DOCKER_CONFIG"] = newer_compose
    ask = ["docker", "compose", "config", "--format", "json"]
    config = json.loads(run(ask, stack_of_alice.folder, names | env))["services"]
    assert gone.isdisjoint(config)
    for service in ("web", "ws", "migrate"):
        settings = config[service]["environment"]
        assert {name: settings[name] for name in env} == env
        assert not any(settings[f"{name}_FILE"] for name in env)
        assert set(config[service]["networks"]) - {"front"} == {"data", "outside"}
        assert gone.isdisjoint(config[service]["depends_on"])
    with pytest.raises(CommandError, match=f"needs {next(iter(env))}"):
        run(ask, stack_of_alice.folder, names)


def services_of(stack: Stack) -> set[str]:
    return set(stack.compose("config", "--services").split())


def succeeds(command: list[str]) -> bool:
    try:
        run(command)
    except CommandError:
        return False
    return True

"""What a container may do, asked of the running stack, and what the image holds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stack.compose import ONCE, SERVERS, CommandError, Container, Stack, run, until

PYTHON_DIAL = "import socket; socket.create_connection(('192.0.2.1', 443), 3)"
NETWORK_UNREACHABLE = "Network is unreachable"
HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]


@pytest.fixture(params=[*SERVERS, *ONCE])
def container(stack: Stack, request: pytest.FixtureRequest) -> Container:
    return stack.containers(request.param)[0]


def test_it_is_nobody_of_importance(container: Container) -> None:
    user = container.inspect()["Config"]["User"]
    assert user.partition(":")[0] not in ("", "0", "root")


def test_it_has_no_capabilities_and_gets_none(container: Container) -> None:
    limits = container.inspect()["HostConfig"]
    assert limits["CapDrop"] == ["ALL"]
    assert not limits["CapAdd"]
    assert limits["SecurityOpt"] == ["no-new-privileges:true"]
    assert not limits["Privileged"]


def test_the_kernel_agrees(stack: Stack) -> None:
    for container in stack.containers(*SERVERS):
        status = dict(line.split(":\t", 1) for line in container.exec("cat", "/proc/1/status").splitlines())
        assert status["CapEff"] == status["CapBnd"] == "0" * 16, container
        assert status["NoNewPrivs"] == "1"
        assert "0" not in status["Uid"].split() + status["Gid"].split()


def test_its_root_is_read_only(container: Container) -> None:
    assert container.inspect()["HostConfig"]["ReadonlyRootfs"]


def test_the_secrets_are_read_only_but_where_they_are_made(container: Container) -> None:
    mounts = {mount["Destination"]: mount["RW"] for mount in container.inspect()["Mounts"]}
    assert mounts.get("/run/secrets", False) == (container.service == "secrets")


def test_its_memory_processes_and_logs_are_bounded(container: Container) -> None:
    limits = container.inspect()["HostConfig"]
    assert 0 < limits["Memory"] <= 2**30
    assert 0 < limits["PidsLimit"] <= 256
    assert limits["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


def test_its_first_process_reaps_and_it_may_take_its_time_to_leave(container: Container) -> None:
    about = container.inspect()
    assert about["HostConfig"]["Init"]
    assert about["Config"]["StopTimeout"] == 30
    again = "no" if container.service in ONCE else "always"
    assert about["HostConfig"]["RestartPolicy"]["Name"] == again


def test_only_nginx_listens_on_the_host_and_there_on_loopback(stack: Stack) -> None:
    published = {
        each.service: [
            binding for bindings in each.inspect()["NetworkSettings"]["Ports"].values() for binding in bindings or []
        ]
        for each in stack.containers(*SERVERS, *ONCE)
    }
    assert published.pop("nginx") == [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]
    assert not any(published.values())


def test_redis_and_postgres_are_only_in_a_network_without_a_way_out(stack: Stack) -> None:
    for service in ("redis", "postgres", "migrate"):
        assert networks(stack.container(service)) == [f"{stack.project}_data"]
    (data,) = json.loads(run(["docker", "network", "inspect", f"{stack.project}_data"]))
    assert data["Internal"]


def test_nginx_does_not_see_redis_and_postgres(stack: Stack) -> None:
    nginx = stack.container("nginx")
    assert f"{stack.project}_data" not in networks(nginx)
    for name in ("redis", "postgres"):
        with pytest.raises(CommandError):
            nginx.exec("getent", "hosts", name)
    assert nginx.exec("getent", "hosts", "web")


def test_the_application_reaches_nobody_outside(stack: Stack) -> None:
    for container in stack.containers("web", "ws"):
        with pytest.raises(CommandError, match=NETWORK_UNREACHABLE):
            container.exec("python", "-I", "-c", PYTHON_DIAL)


def test_no_secret_shows_where_secrets_are_often_seen(stack: Stack) -> None:
    made = [
        stack.container("web").exec("cat", f"/run/secrets/{name}")
        for name in ("secret_key", "database_url", "redis_url")
    ]
    hidden = [made[0], *(url.partition("@")[0].rpartition(":")[2] for url in made[1:])]
    assert min(len(secret) for secret in hidden) > 30
    ids = [each.id for each in stack.containers(*SERVERS, *ONCE)]
    images = stack.compose("config", "--images").split()
    seen = {
        "inspect": run(["docker", "inspect", *ids]),
        "images": run(["docker", "image", "inspect", *images]),
        "history": "".join(run(["docker", "history", "--no-trunc", image]) for image in images),
        "config": stack.compose("config"),
        "logs": stack.compose("logs"),
        "processes": "".join(run(["docker", "top", id]) for id in ids if Container(id).service in SERVERS),
    }
    assert [(place, secret) for place, text in seen.items() for secret in hidden if secret in text] == []


# --- the application's image ---


@pytest.fixture(scope="session")
def image(stack: Stack) -> str:
    return f"{stack.project}-app"


def in_image(image: str, *command: str) -> str:
    return run(["docker", "run", "--rm", "--network=none", *HARDENED, image, *command])


def config_of(image: str) -> dict[str, Any]:
    return json.loads(run(["docker", "image", "inspect", image]))[0]["Config"]


def test_the_image_has_no_entrypoint_and_a_user(image: str) -> None:
    config = config_of(image)
    assert not config.get("Entrypoint")
    assert config["Cmd"] == ["python", "-m", "realtime.serve"]
    assert config["User"] == "10001:10001"


def test_the_image_holds_no_compiler_no_cache_and_no_key(image: str) -> None:
    tools = in_image(image, "sh", "-c", "command -v gcc cc g++ make ld rustc cargo; true")
    assert tools == ""
    # By root, from whom nothing is hidden.
    find = [
        "find",
        "/",
        "-xdev",
        "-path",
        "*/.cache/*",
        "-o",
        "-path",
        "/tmp/*",
        "-o",
        "-name",
        ".git",
        "-o",
        "-name",
        ".env",
    ]
    assert run(["docker", "run", "--rm", "--network=none", "--user=0:0", image, *find]) == ""
    assert "SECRET_KEY" not in json.dumps(config_of(image))


def test_nothing_in_the_image_may_be_changed_by_who_runs_it(image: str) -> None:
    assert in_image(image, "find", "/app", "/venv", "-writable") == ""


def test_all_bytecode_is_there(image: str) -> None:
    """A read-only root would compile every module at every start."""
    sources = "find /app /venv/lib -name *.py -not -path */lib2to3/*"
    modules = in_image(image, *sources.split()).split()
    compiled = in_image(image, "find", "/app", "/venv/lib", "-name", "*.pyc").split()
    assert len(compiled) >= 0.98 * len(modules) > 500


@pytest.mark.parametrize(
    ("role", "command"),
    [("ws", ["python", "-m", "realtime.serve"]), ("web", ["gunicorn", "-c", "config/gunicorn.py", "config.wsgi"])],
)
def test_either_role_runs_as_any_user(image: str, anybody: "Anybody", role: str, command: list[str]) -> None:
    container = anybody.start(image, command)
    until(
        lambda: run_quietly(["docker", "exec", container, "python", "-I", "-S", "realtime/check.py", role]),
        "health",
        30,
    )


class Anybody:
    """Runs containers as a user that no image knows."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def start(self, image: str, command: list[str]) -> str:
        settings = {
            "SECRET_KEY": 5 * "0123456789",
            "ALLOWED_HOSTS": "localhost",
            "DATABASE_URL": "sqlite:////tmp/db.sqlite3",
            "REDIS_URL": "redis://nobody",
        }
        env = [f"--env={name}={value}" for name, value in settings.items()]
        options = ["--detach", "--network=none", "--user=54321:54321", "--tmpfs=/tmp", *HARDENED, *env]
        self.ids.append(run(["docker", "run", *options, image, *command]).strip())
        return self.ids[-1]


@pytest.fixture
def anybody() -> Iterator[Anybody]:
    somebody = Anybody()
    yield somebody
    for id in somebody.ids:
        print(run(["docker", "logs", id]))
        run(["docker", "rm", "--force", "--volumes", id])


def test_the_classic_builder_builds_it_too(stack: Stack) -> None:
    tag = f"{stack.project}-classic"
    stack.env["DOCKER_BUILDKIT"] = "0"
    try:
        stack.run("docker", "build", "--quiet", "--tag", tag, "app")
        classic, other = config_of(tag), config_of(f"{stack.project}-app")
        for name in ("Cmd", "Entrypoint", "Env", "ExposedPorts", "User", "WorkingDir"):
            assert classic.get(name) == other.get(name), name
    finally:
        del stack.env["DOCKER_BUILDKIT"]
        # Its layers stay, so that the next time is a matter of seconds.
        stack.run("docker", "image", "rm", "--no-prune", tag)


def networks(container: Container) -> list[str]:
    return sorted(container.inspect()["NetworkSettings"]["Networks"])


def run_quietly(command: list[str]) -> bool:
    try:
        run(command)
    except CommandError:
        return False
    return True

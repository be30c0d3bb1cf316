"""What `make up` says before it does anything: alice's machine, her .env, what would be lost. Docker is a double."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
READ = (
    *("docker/up.sh", "docker/common.sh", ".env.example"),
    "docker/postgres-elsewhere.yml",
    *("docker-compose.yml", "docker/outside.yml", "docker/tls.yml", "docker/published.yml", "docker/archive.yml"),
    "docker/platform.yml",
)

# Answers to commands by their beginning; empty and with success where nothing is written. Anything that would build or
# start is written down.
DOUBLE = """#!/usr/bin/env bash
asked="$*"
while IFS=$'\\t' read -r command status answer; do
  [[ $asked == "$command"* ]] || continue
  [[ ! $answer ]] || printf '%b\\n' "$answer"
  exit "$status"
done <"$(dirname "$0")/answers"
echo "$asked" >>"$(dirname "$0")/done"
"""
GOOD = {
    "compose version --short": "2.26.1-4",
    "buildx version": "github.com/docker/buildx 0.13.1",
    "version --format": "26.1.5+dfsg1",
    "compose config --quiet": "",
    "compose config --services": "ws",
    "compose config": "name: rooms\\nservices:\\n  ws:\\n    deploy:\\n      replicas: 1",
    "compose ps": "",
    "volume ls": "",
}
BUILD = "compose build"


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        for name in READ:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
        self.bin.mkdir()
        (self.bin / "docker").write_text(DOUBLE)
        (self.bin / "docker").chmod(0o755)
        self.answers = {name: (0, answer) for name, answer in GOOD.items()}

    def up(self, env: str = "") -> tuple[int, str]:
        """Exit status, and what it said."""
        if env:
            (self.folder / ".env").write_text(env)
        lines = [f"{name}\t{status}\t{answer}" for name, (status, answer) in self.answers.items()]
        (self.bin / "answers").write_text("\n".join([*lines, ""]))
        command = ["bash", "docker/up.sh"]
        path = {"PATH": f"{self.bin}:{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=self.folder, env=path, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr

    @property
    def done(self) -> list[str]:
        file = self.bin / "done"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_where_all_is_well_it_builds_and_checks_before_it_starts(machine: Machine) -> None:
    assert machine.up() == (0, "")
    steps = [line for line in machine.done if "--wait" in line or " run " in line or line.startswith(BUILD)]
    assert steps[0] == BUILD
    assert steps[-1] == "compose up --detach --wait"
    assert any("manage.py check" in step for step in steps[1:-1])


@pytest.mark.parametrize(
    ("command", "status", "answer", "says"),
    [
        ("compose version --short", 1, "", "compose plugin is missing"),
        ("compose version --short", 0, "2.25.9", "Docker Compose 2.26 or newer is needed, and this is 2.25.9"),
        ("compose version --short", 0, "v1.29.2", "and this is v1.29.2"),
        ("buildx version", 1, "", "buildx plugin is missing"),
        ("version --format", 1, "", "No Docker engine answers"),
        ("version --format", 0, "20.10.24+dfsg1", "Docker Engine 25 or newer is needed, and this is 20.10.24+dfsg1"),
        ("version --format", 0, "24.0.7", "Docker Engine 25 or newer is needed"),
    ],
)
def test_what_the_machine_lacks_is_said_in_one_line(
    machine: Machine, command: str, status: int, answer: str, says: str
) -> None:
    machine.answers[command] = (status, answer)
    code, said = machine.up()
    assert code == 1
    assert says in said
    assert len(said.splitlines()) == 1
    assert machine.done == []


@pytest.mark.parametrize(("engine", "compose"), [("25.0.0", "2.26.0"), ("28.5.1", "v2.40.3"), ("29.0.0-rc.1", "5.0.1")])
def test_newer_ones_do(machine: Machine, engine: str, compose: str) -> None:
    machine.answers |= {"version --format": (0, engine), "compose version --short": (0, compose)}
    assert machine.up() == (0, "")


@pytest.mark.parametrize(
    "line", ["PORT=80", "HOST=0.0.0.0", "PROXY_HOPS=0", "export DYNO=web.1", " SENTRY_DSN_FILE = /etc/dsn"]
)
def test_what_no_container_would_ever_see_is_refused(machine: Machine, line: str) -> None:
    code, said = machine.up(f"ALLOWED_HOSTS=rooms.example.org\n{line}\n")
    name = line.removeprefix("export ").partition("=")[0].strip()
    assert code == 1
    assert f"{name} in .env reaches no container" in said
    assert "ALLOWED_HOSTS in" not in said
    assert machine.done == []


def test_everything_else_may_stand_in_env(machine: Machine) -> None:
    example = (ROOT / ".env.example").read_text()
    decided = ("#PORT=", "#HOST=", "#PROXY_HOPS=", "#DYNO=", "#HEROKU_APP_DEFAULT_DOMAIN_NAME=")
    lines = [line for line in example.splitlines() if not line.startswith(decided)]
    env = "\n".join([line.removeprefix("#") if line[1:2].isupper() else line for line in lines])
    assert machine.up(f"{env}\nCOMPOSE_FILE=docker-compose.yml\nMY_OWN=1\n") == (0, "")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"TLS_CERT": "/here.crt"}, "TLS_CERT and TLS_KEY need each other"),
        ({"TLS_CERT": "/here.crt", "TLS_KEY": '"/nowhere.key"'}, "names /here.crt: it is not there"),
    ],
)
def test_files_that_are_not_there_are_said_before_anything_is_started(
    machine: Machine, given: dict[str, str], says: str
) -> None:
    machine.answers["compose config --services"] = (0, "ws\\ncertificates")
    environment = "".join(f"\\n      {name}: {value}" for name, value in given.items())
    machine.answers["compose config"] = (0, f"{GOOD['compose config']}{environment}")
    code, said = machine.up()
    assert code == 1
    assert says in said
    assert "Nothing was changed." in said
    assert "compose up --detach --wait" not in machine.done


def test_a_certificate_without_a_name_is_refused(machine: Machine) -> None:
    code, said = machine.up("TLS_CERT=/here.crt\nTLS_KEY=/here.key\n")
    assert code == 1
    assert "need DOMAIN" in said
    assert machine.done == []


def test_containers_that_would_go_are_announced_with_the_variable_that_keeps_them(machine: Machine) -> None:
    machine.answers["compose ps"] = (0, "one\\ntwo")
    code, said = machine.up()
    assert code == 0
    assert "of 2 ws containers 1 will stay: REPLICAS=2 in .env keeps as many" in said


def test_of_a_long_answer_everything_is_read(machine: Machine) -> None:
    """Compose would be ended by a broken pipe, which the scripts take for a failure."""
    long = 20_000 * "\\nanother"
    machine.answers["compose config --services"] = (0, f"postgres\\nws{long}")
    machine.answers["compose config"] = (0, f"{GOOD['compose config']}{long}")
    assert machine.up() == (0, "")
    assert any("--entrypoint postgres" in step for step in machine.done)


@pytest.mark.parametrize(
    ("lost", "kept", "says"),
    [
        ("secrets", "postgres", "the volume `secrets` is gone"),
        (
            "postgres",
            "secrets",
            "begins with an empty database. If you have a backup, `docker compose stop nginx web ws`",
        ),
    ],
)
def test_a_lost_volume_is_announced(machine: Machine, lost: str, kept: str, says: str) -> None:
    del machine.answers["volume ls"]
    volumes = (
        "volume ls --quiet --filter label=com.docker.compose.project=rooms --filter label=com.docker.compose.volume="
    )
    machine.answers |= {f"{volumes}{kept}": (0, f"rooms_{kept}"), f"{volumes}{lost}": (0, "")}
    machine.answers["compose config --services"] = (0, "postgres")
    code, said = machine.up()
    assert code == 0
    assert says in said


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("compose --progress quiet run --rm --no-deps -T edge", "nginx refuses its new configuration"),
        ("compose --progress quiet run --rm --no-deps -T migrate", "The application refuses its settings"),
        ("compose build", "The images cannot be built"),
    ],
)
def test_what_would_not_work_is_known_before_anything_is_started(machine: Machine, command: str, says: str) -> None:
    machine.answers[command] = (1, "for this very reason")
    machine.answers |= {"compose ps": (0, "one"), "inspect": (0, "rooms-app sha256:old")}
    code, said = machine.up()
    assert code == 1
    assert says in said
    assert "Nothing was changed." in said
    assert "compose up --detach --wait" not in machine.done
    assert "tag sha256:old rooms-app" in machine.done, "or the next `docker compose up` would start what was refused"

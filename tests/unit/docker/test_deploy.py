"""`make deploy` without Heroku: the heroku CLI, Docker and curl are doubles, which write down what they are asked."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import pytest

from deploy.__main__ import back_to_the_last
from deploy.heroku import Release, Releases
from deploy.images import MANIFEST

ROOT = Path(__file__).parents[3]
# Each answers with the file that has the name of its command, and fails where there is none. `--json` and the app do
# not count. A release brings about what is there after it.
DOUBLE = """#!/usr/bin/env bash
here=$(dirname "$0")/answers
program=$(basename "$0")
echo "$program $*" >>"$here/asked"
case "$program $*" in
  "heroku container:release "*) mv "$here/releases.after" "$here/releases" ;;
  "docker buildx build "*) cat >>"$here/built"; [[ ! -e "$here/push" ]] || { cat "$here/push"; exit 1; } ;;
  "docker buildx imagetools "*) cat "$here/manifest" ;;
  "docker "*) ;;
  "curl "*health/ready) printf 200 ;;
  "curl "*) printf 'HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n\\x88\\x02\\x03\\xe8' ;;
  *) cat "$here/$1" ;;
esac
"""
WHO = "alice@example.org"
NAMES = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PROXY_HOPS", "DATABASE_SSLMODE", "ALLOWED_HOSTS")


def release(version: int, status: str = "succeeded", **more: object) -> dict[str, object]:
    return {"version": version, "status": status, "eligible_for_rollback": status == "succeeded", **more}


class Machine:
    """Somebody's, who is logged in and has an app that lacks nothing."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.answers = folder / "bin", folder / "bin" / "answers"
        self.answers.mkdir(parents=True)
        for program in ("heroku", "docker", "curl"):
            (self.bin / program).write_text(DOUBLE)
            (self.bin / program).chmod(0o755)
        self.app: dict[str, Any] = {
            "stack": {"name": "container"},
            "generation": {"name": "cedar"},
            "web_url": "https://rooms.example.org/",
        }
        addons = [{"addon_service": {"name": name}} for name in ("heroku-postgresql", "heroku-redis")]
        self.put("auth:whoami", WHO)
        self.put("apps:info", {"app": self.app, "addons": addons})
        self.put("config", dict.fromkeys(NAMES, "x"))
        self.put("labs", {"app": []})
        self.put("ps", [{"type": "web", "state": "up", "release": {"version": 8}}])
        self.put("manifest", {"mediaType": MANIFEST})
        self.releases = [release(7), release(6, "failed"), release(5), release(4, "expired")]

    def put(self, name: str, answer: Any) -> None:
        (self.answers / name).write_text(answer if isinstance(answer, str) else json.dumps(answer))

    def deploy(self, *after: dict[str, object], app: str = "rooms") -> "subprocess.CompletedProcess[str]":
        """What `make deploy` says, and its status; with `after`, releasing makes these releases."""
        self.put("releases", self.releases)
        self.put("releases.after", [*after, *self.releases])
        env = {"PATH": f"{self.bin}:{os.environ['PATH']}"}
        program = [sys.executable, "-B", "-m", "deploy", app]
        return subprocess.run(program, cwd=ROOT / "docker", env=env, text=True, stdout=PIPE, stderr=STDOUT)

    @property
    def asked(self) -> str:
        return (self.answers / "asked").read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def sentences(done: "subprocess.CompletedProcess[str]") -> list[str]:
    return [line.removeprefix("deploy: ") for line in done.stdout.splitlines() if line.startswith("deploy: ")]


def test_it_says_each_step_and_how_to_go_back(machine: Machine) -> None:
    done = machine.deploy(release(8))
    assert done.returncode == 0, done.stdout
    assert sentences(done) == [
        "building and pushing",
        "releasing",
        "waiting for v8 to run",
        "v8 runs on https://rooms.example.org/",
        "`heroku rollback v7 --app rooms` goes back; Heroku has the images of v7 and v5.",
    ]
    assert '\nCMD ["python", "manage.py", "migrate", "--noinput"]\n' in (machine.answers / "built").read_text()


def test_what_is_released_already_is_no_reason_to_wait(machine: Machine) -> None:
    done = machine.deploy()
    assert done.returncode == 0
    assert sentences(done)[-1] == "nothing to release: v7 is this very version"


def test_fir_takes_no_images_and_gets_none(machine: Machine) -> None:
    """Nor is anything else asked of the app: no stack, no add-on would help."""
    machine.app |= {"generation": {"name": "fir"}, "stack": {"name": "cnb"}}
    machine.put("apps:info", {"app": machine.app, "addons": []})
    done = machine.deploy(release(8))
    assert done.returncode != 0
    (sentence,) = sentences(done)
    assert sentence.startswith("rooms is of Heroku's generation Fir, which runs no Docker images: ")
    assert "`heroku create NAME --manifest`" in sentence
    assert "build " not in machine.asked
    assert "container:release" not in machine.asked


def test_all_that_is_missing_is_said_at_once(machine: Machine) -> None:
    machine.app["stack"] = {"name": "heroku-24"}
    machine.put("apps:info", {"app": machine.app, "addons": []})
    machine.put("config", {})
    done = machine.deploy()
    assert done.returncode != 0
    assert [sentence.partition("`")[2].partition("`")[0] for sentence in sentences(done)] == [
        "heroku stack:set container --app rooms",
        "heroku addons:create heroku-postgresql:essential-0 --app rooms",
        "heroku addons:create heroku-redis:mini --app rooms",
        *2 * ["heroku addons:wait --app rooms"],
        'heroku config:set SECRET_KEY="$(openssl rand -hex 32)" --app rooms',
        "heroku config:set PROXY_HOPS=1 --app rooms",
        "heroku config:set DATABASE_SSLMODE=require --app rooms",
        "heroku labs:enable runtime-dyno-metadata --app rooms",
    ]
    assert "build " not in machine.asked


@pytest.mark.parametrize(
    ("silent", "says"),
    [
        ("auth:whoami", "Nobody is logged in to Heroku: `heroku login`"),
        ("apps:info", "There is no app rooms that you may deploy: `heroku create rooms --manifest`"),
        ("config", "Heroku does not answer: `heroku config --app rooms` shows why."),
        ("labs", "Heroku does not answer: `heroku labs --app rooms` shows why."),
    ],
)
def test_what_heroku_does_not_answer_is_a_sentence(machine: Machine, silent: str, says: str) -> None:
    (machine.answers / silent).unlink()
    assert sentences(machine.deploy()) == [says]


def test_half_an_answer_is_none(machine: Machine) -> None:
    machine.put("config", '{"SECRET_KEY": ')
    assert sentences(machine.deploy()) == ["Heroku does not answer: `heroku config --app rooms` shows why."]


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("ERROR: write /layer: no space left on device", "This machine has no space left: `docker system prune`"),
        ("unexpected HTTP status: 503 Service Unavailable", "The registry fails to store the image: it is full or"),
        ("401 unauthorized", "The registry does not know you: `heroku container:login`"),
        ("no basic auth credentials", "The registry does not know you: `heroku container:login`"),
        ("the Dockerfile is broken", "The image for web cannot be built or pushed. Nothing was released."),
    ],
)
def test_a_failed_push_shows_what_was_said_and_what_it_means(machine: Machine, said: str, says: str) -> None:
    machine.put("push", said)
    done = machine.deploy(release(8))
    assert done.returncode != 0
    assert said in done.stdout
    assert sentences(done)[-1].startswith(says)
    assert "container:release" not in machine.asked


def test_a_manifest_that_heroku_does_not_take_is_not_released(machine: Machine) -> None:
    machine.put("manifest", {"mediaType": "application/vnd.oci.image.index.v1+json"})
    assert "which Heroku does not take: `docker buildx use default`" in machine.deploy(release(8)).stdout
    assert "container:release" not in machine.asked


def test_a_failed_release_says_what_goes_on(machine: Machine) -> None:
    done = machine.deploy(release(8, "failed"))
    assert done.returncode != 0
    says = "The release failed and v7 goes on: `heroku releases:output --app rooms` shows why."
    assert sentences(done)[-1] == says


def test_which_app_is_asked_first(machine: Machine) -> None:
    assert sentences(machine.deploy(app="")) == ["Which app? `make deploy APP=name`"]


@pytest.mark.parametrize("program", ["python3", "curl", "docker", "heroku"])
def test_a_program_that_is_missing_is_named(machine: Machine, tmp_path: Path, program: str) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for name in ("make", "bash", "basename", "dirname", "cat", "env"):
        (others / name).symlink_to(shutil.which(name) or name)
    (others / "python3").symlink_to(Path(sys.executable).resolve())
    ((others if program == "python3" else machine.bin) / program).unlink()
    env = {"PATH": f"{machine.bin}:{others}", "HOME": os.environ["HOME"]}
    done = subprocess.run(["make", "deploy", "APP=rooms"], cwd=ROOT, env=env, text=True, stdout=PIPE, stderr=STDOUT)
    assert done.returncode != 0
    (sentence,) = sentences(done)
    assert program in sentence.lower()  # "Docker"


def of(*releases: tuple[int, str, bool]) -> Releases:
    return Releases([Release(*each) for each in releases])


def test_the_way_back_leads_to_the_latest_version_whose_image_there_is() -> None:
    after = of((9, "succeeded", True), (8, "failed", False), (7, "succeeded", False), (6, "succeeded", True))
    assert after.before(9) == [6]
    assert back_to_the_last("rooms", after) == ", `heroku rollback v6 --app rooms` brings back v6."


def test_before_the_first_version_there_is_nothing_to_go_back_to() -> None:
    """A release that only set a variable runs nothing."""
    after = of((3, "succeeded", True), (2, "succeeded", False), (1, "succeeded", False))
    assert back_to_the_last("rooms", after) == "; there is no earlier version to go back to."

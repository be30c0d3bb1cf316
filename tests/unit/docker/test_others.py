"""Kamal's file and the overlay for platforms say what docker-compose.yml and heroku.yml say."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from realtime import limits
from realtime.health import READY_PATH

ROOT = Path(__file__).parents[3]


class Reader(yaml.SafeLoader):
    """Compose's own tags mean: in place of what stands in the file before."""


Reader.add_multi_constructor("!", lambda loader, _, node: loader.construct_sequence(node))


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((ROOT / name).read_text(), Reader)
    return found


COMPOSE = read("docker-compose.yml")
KAMAL = read("docker/kamal/deploy.yml")
PLATFORM = read("docker/platform.yml")


def test_kamal_runs_what_heroku_runs_within_the_bounds_of_compose() -> None:
    web, ws = KAMAL["servers"]["web"], COMPOSE["services"]["ws"]
    assert web["cmd"] == read("heroku.yml")["run"]["web"] == shlex.join(ws["command"])
    assert web["options"] == {
        "init": ws["init"],
        "read-only": ws["read_only"],
        "cap-drop": ws["cap_drop"][0],
        "security-opt": ws["security_opt"][0],
        "tmpfs": ws["tmpfs"][0],
        "ulimit": f"nofile={ws['ulimits']['nofile']}",
        "memory": ws["deploy"]["resources"]["limits"]["memory"],
        "pids-limit": ws["deploy"]["resources"]["limits"]["pids"],
        "stop-timeout": int(ws["stop_grace_period"].removesuffix("s")),
    }
    assert web["options"]["stop-timeout"] == limits.GRACE_SECONDS


def test_kamals_proxy_asks_and_takes_what_the_servers_answer_and_take() -> None:
    proxy = KAMAL["proxy"]
    assert proxy["app_port"] == settings.PORT
    assert proxy["healthcheck"]["path"] == READY_PATH
    assert proxy["buffering"]["max_request_body"] == limits.MAX_BODY_BYTES
    assert not proxy["buffering"]["responses"], "or nobody would get a stream of events"
    assert KAMAL["env"]["clear"]["ALLOWED_HOSTS"] == proxy["host"]
    assert proxy["ssl"] is True
    assert len(KAMAL["servers"]["web"]["hosts"]) == 1, "Let's Encrypt's certificate is one host's"


def test_what_kamal_sets_is_a_variable_and_what_it_names_is_there() -> None:
    listed = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert {*KAMAL["env"]["clear"], *KAMAL["env"]["secret"]} <= listed
    assert (ROOT / KAMAL["builder"]["dockerfile"]).parent == ROOT / KAMAL["builder"]["context"]
    hook = ROOT / KAMAL["hooks_path"] / "pre-deploy"
    assert hook.stat().st_mode & 0o100
    commands = re.findall(r"^inside (.*)$", hook.read_text(), re.MULTILINE)
    assert commands == ["check_migrations", " ".join(COMPOSE["services"]["migrate"]["command"][2:])]


def test_kamals_hook_stops_at_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kamal").write_text('#!/bin/sh\necho "$*" >>"$(dirname "$0")/asked"\nexit 1\n')
    (tmp_path / "kamal").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "KAMAL_VERSION": "abc"}
    done = subprocess.run([ROOT / "docker/kamal/hooks/pre-deploy"], env=env, capture_output=True)
    assert done.returncode == 1
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert asked[0].endswith("--version abc python manage.py check_migrations")


def test_a_platforms_proxy_is_the_only_way_in() -> None:
    nginx = PLATFORM["services"]["nginx"]
    assert nginx["ports"] == []
    assert nginx["networks"] == ["proxy"]
    assert PLATFORM["networks"]["proxy"]["external"]
    assert set(PLATFORM["services"]) <= set(COMPOSE["services"])


@pytest.mark.parametrize("service", ["nginx", "edge"])
def test_whom_nginx_believes_there_is_checked_as_it_runs(service: str) -> None:
    (believed,) = PLATFORM["services"][service]["environment"]
    assert believed == "TRUSTED_PROXIES=${TRUSTED_PROXIES:-10.0.0.0/8,172.16.0.0/12,192.168.0.0/16}"

"""`make … STACK=1`: commands of Django in the containers, also from a script; the logs of one request."""

import os
import signal
import subprocess
from threading import Timer

import pytest

from stack.compose import CommandError, Stack
from visitor import Visitor

ALICE = "ARGS=--noinput --username alice-{} --email alice@example.org"


def test_any_command_of_django_runs_in_the_containers(stack: Stack) -> None:
    assert "0001_initial" in stack.run("make", "manage", "STACK=1", "ARGS=showmigrations rooms")


def test_an_administrator_of_the_stack_has_a_password_or_is_refused(stack: Stack) -> None:
    with pytest.raises(CommandError, match="Nobody could log in without a password"):
        stack.run("make", "admin", "STACK=1", ALICE.format("mute"))
    stack.env["DJANGO_SUPERUSER_PASSWORD"] = "correct horse $HOME 'battery'"
    try:
        assert "created" in stack.run("make", "admin", "STACK=1", ALICE.format("heard"))
        visitor = Visitor(stack.base_url)
        form = {"username": "alice-heard", "password": stack.env["DJANGO_SUPERUSER_PASSWORD"]}
        assert visitor.post("/admin/login/", form).status == 302
    finally:
        del stack.env["DJANGO_SUPERUSER_PASSWORD"]


def test_the_doctor_misses_nothing_but_e_mail_in_a_stack_that_is_well(stack: Stack) -> None:
    said = stack.run("make", "doctor", "STACK=1")
    assert {line.split()[0] for line in said.splitlines() if "EMAIL_URL" not in line} == {"ok"}
    assert "EMAIL_URL is empty" in said
    for check in ("stored means stored", "database connections", "redis carries messages", "redis memory"):
        assert f"{check}: " in said


def test_the_doctor_finds_a_redis_that_is_away_while_its_container_is_stopped(stack: Stack) -> None:
    stack.compose("stop", "redis")
    try:
        with pytest.raises(CommandError, match="broken    redis answers: Redis at redis:6379 does not answer"):
            stack.run("make", "doctor", "STACK=1")
    finally:
        stack.compose("start", "redis")
        stack.settle()


def test_the_logs_of_one_request_are_followed_by_its_id(stack: Stack) -> None:
    alice = Visitor(stack.base_url)
    id, other = (alice.get(path).headers["X-Request-Id"] for path in ("/", "/"))
    following = subprocess.Popen(
        ["make", "logs", f"ID={id}"],
        cwd=stack.folder,
        env=stack.env,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    patience = Timer(60, os.killpg, (following.pid, signal.SIGTERM))
    patience.start()
    try:
        assert following.stdout
        line = following.stdout.readline()
    finally:
        patience.cancel()
        os.killpg(following.pid, signal.SIGTERM)
        following.wait()
    assert line.partition(" | ")[0].strip().endswith("nginx-1")
    assert id in line
    assert other not in line

"""`make … STACK=1`: commands of Django in the containers, also from a script."""

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

"""Mallory guesses at a password over every process there is."""

from servers.stack import Stack
from visitor import Page, Visitor

DOOR = "/accounts/login/"


def tries(base: str, name: str, password: str) -> Page:
    return Visitor(base).post(DOOR, {"username": name, "password": password})


def test_wrong_passwords_are_counted_over_all_processes(stack: Stack) -> None:
    """gunicorn's and those of the ASGI server, which serves the pages too where there is no gunicorn."""
    name = f"alice-{stack.ws[0].name}"
    password = stack.make_user(name)
    doors = [stack.web.url, *(process.url for process in stack.ws)]
    assert [tries(doors[number % 3], name, "wrong").status for number in range(10)] == [200] * 9 + [429]
    for door in doors:
        refused = tries(door, name, password)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "900")
        assert "too many wrong passwords" in refused.text
    stack.manage("axes_reset_username", name)
    assert tries(doors[0], name, password).status == 302

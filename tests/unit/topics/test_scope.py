"""What a token is good for."""

import pytest

from topics.who.scope import Scope


@pytest.mark.parametrize(
    ("pattern", "name", "allowed"),
    [
        ("*", "votes/lunch", True),
        ("votes/*", "votes/lunch", True),
        ("votes/*", "votes/lunch/menu", True),
        ("votes/*", "votes", False),
        ("votes/*", "my/votes/lunch", False),
        ("*/lunch", "votes/lunch", True),
        ("votes/lunch", "votes/lunch", True),
        ("votes/lunch", "votes/lunches", False),
        ("votes/?unch", "votes/lunch", False),
        ("votes/[l]unch", "votes/lunch", False),
        ("v.tes/*", "votes/lunch", False),
        ("", "votes/lunch", False),
        ("v*s/*n*h", "votes/lunch", True),
        ("v*s/*h*n", "votes/lunch", False),
        ("votes*otes/lunch", "votes/lunch", False),
    ],
)
def test_a_star_stands_for_any_part_of_a_name_and_nothing_else_does(pattern: str, name: str, allowed: bool) -> None:
    assert Scope((pattern,), ("read",)).allows(name, "read") == allowed


def test_an_act_that_is_not_named_is_not_allowed() -> None:
    scope = Scope(("votes/*", "chat/*"), ("read",))
    assert scope.allows("chat/open", "read")
    assert not scope.allows("chat/open", "write")
    assert not Scope((), ("read", "write")).allows("chat/open", "read")


@pytest.mark.timeout(60)  # it would be years
def test_no_pattern_takes_long() -> None:
    assert not Scope(("*a" * 99,), ("read",)).allows("a" * 150 + "b" * 50, "read")

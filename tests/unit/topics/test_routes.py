"""Names and handles: votes/lunch is Votes(poll="lunch")."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from topics import NoSuchTopic, Topic, checks, routes
from topics.routes import MAX_NAME, Route, find

from .declared import Orders, Votes

NOWHERE = ("", "votes", "votes/", "votes/a b", "votes/lunch/", "/votes/lunch", "orders/x/status", "nothing/here")
ILL_FORMED = ("votes/" + "a" * MAX_NAME, "votes/lunch\n", "votes/\n", "votes/lunch\x00", "votes/e\u0301")


@pytest.fixture(autouse=True)
def own_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test defines is gone after it."""
    monkeypatch.setattr(routes, "classes", [*routes.classes])


def test_a_handle_has_its_name_and_its_parameters() -> None:
    handle = Orders(number=7)
    assert handle.name == "orders/7/status"
    assert handle.number == 7  # type: ignore[attr-defined]
    assert repr(handle) == "<Orders orders/7/status>"


def test_a_name_leads_to_its_handle() -> None:
    found = find("votes/lunch")
    assert isinstance(found, Votes)
    assert found == Votes(poll="lunch") != Votes(poll="dinner")
    assert len({found, Votes(poll="lunch")}) == 1
    assert find("orders/12/status").number == 12  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [*NOWHERE, *ILL_FORMED])
def test_carol_finds_nothing_under_a_name_that_no_route_has(name: str) -> None:
    with pytest.raises(NoSuchTopic):
        find(name)


@pytest.mark.parametrize("values", [{}, {"poll": "a", "more": 1}, {"number": 1}])
def test_other_parameters_than_the_routes_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="has the parameters poll"):
        Votes(**values)


@pytest.mark.parametrize("poll", ["", "a b", "a/b", "lunch\n", "a" * MAX_NAME])
def test_a_value_that_has_no_place_in_a_name_is_refused(poll: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        Votes(poll=poll)


def test_a_topic_without_a_route_has_no_handles() -> None:
    class Abstract(Topic):
        pass

    with pytest.raises(TypeError, match="has no route"):
        Abstract()


@pytest.mark.parametrize("route", ["", "/votes", "votes/", "votes/<nonsense:poll>"])
def test_a_route_that_is_none_is_refused_where_it_is_written(route: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        Route(route)


@pytest.mark.parametrize("parameter", ["name", "append", "keep", "route"])
def test_a_parameter_that_would_hide_what_a_topic_has_is_refused(parameter: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="means something else"):
        type("Hiding", (Topic,), {"route": f"hiding/<{parameter}>"})


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("votes/<slug:a>", "votes/<int:b>", True),
        ("votes/<a>", "votes/<a>", True),
        ("<a>/x", "votes/<b>", True),
        ("docs/<path:p>", "docs/a/b", True),
        ("votes/<slug:a>", "orders/<slug:a>", False),
        ("votes/<slug:a>", "votes/<slug:a>/more", False),
        ("docs/<path:p>", "votes/<slug:a>", False),
    ],
)
def test_routes_that_lead_to_the_same_names_clash(one: str, other: str, clash: bool) -> None:
    assert Route(one).clashes(Route(other)) is clash
    assert Route(other).clashes(Route(one)) is clash


def test_a_check_tells_of_topics_that_clash_or_do_not_say_who_may() -> None:
    assert [found.id for found in checks.topics_are_sound() if found.obj in {Votes, Orders}] == []

    class Ballots(Topic):
        route = "votes/<int:number>"

    found = {message.id for message in checks.topics_are_sound() if message.obj is Ballots}
    assert found == {"topics.E001", "topics.W001"}


async def awaited(self: Topic, person: Any, act: str) -> bool:
    return True


def decorated(*args: Any, **named: Any) -> bool:
    return True


def yielding(self: Topic, person: Any, act: str) -> Any:
    yield True


WRONG = [
    ("may", lambda self, person: True, "takes (self, person), and is called with self, person, act"),
    ("may", lambda self, person, act, poll: True, "is called with self, person, act"),
    ("may", lambda self, person, *, act: True, "is called with self, person, act"),
    ("may", staticmethod(lambda person, act: True), "is a staticmethod, not a method"),
    ("may", True, "is True, not a method"),
    ("may", yielding, "yields, where it has to return an answer"),
    ("received", lambda self, data: data, "takes (self, data), and is called with self, person, data"),
]


@pytest.mark.parametrize(("name", "method", "fault"), WRONG)
def test_a_check_tells_of_methods_that_cannot_be_called(name: str, method: Any, fault: str) -> None:
    wrong = type("Wrong", (Votes,), {"route": "wrong/<slug:poll>", name: method})
    [found] = [message for message in checks.topics_are_sound() if message.obj is wrong]
    assert found.id == "topics.E002"
    assert found.msg.startswith(f"Wrong.{name} ")
    assert fault in found.msg
    assert f"def {name}(self, person, " in found.hint


@pytest.mark.parametrize("method", [awaited, decorated, lambda self, person, act, more=None: True])
def test_a_check_lets_through_whatever_can_be_called(method: Any) -> None:
    right = type("Right", (Votes,), {"route": "right/<slug:poll>", "may": method})
    assert [message for message in checks.topics_are_sound() if message.obj is right] == []


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": "10"}, {"keep": 30}, {"keep": timedelta(0)}])
def test_a_rate_or_a_time_that_is_none_is_refused_where_it_is_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"Wrong.{next(iter(wrong))} is a"):
        type("Wrong", (Topic,), {"route": "wrong/<slug:one>", **wrong})

"""Names and handles of topics: `votes/lunch` is Votes(poll="lunch").

Routes are Django's, with its converters, so a name is checked and taken apart as a URL's path is.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.urls.resolvers import RoutePattern

from topics.errors import NoSuchTopic
from topics.wording import MAX_NAME

if TYPE_CHECKING:
    from topics.topic import Topic

JOINERS: Final = re.compile("[\u200c\u200d]")
PARAMETER: Final = re.compile(r"<(?:[^>:]+:)?([^>]+)>")


class Route:
    """One topic class's names, such as `votes/<slug:poll>`. Raises ImproperlyConfigured for a route that is none."""

    def __init__(self, route: str) -> None:
        if not route or route.startswith("/") or route.endswith("/"):
            raise ImproperlyConfigured(f"A topic's route neither begins nor ends with a slash, as {route!r} does.")
        self.route = route
        self._pattern = RoutePattern(route, is_endpoint=True)
        self.parameters: dict[str, Any] = dict(self._pattern.converters)

    def __str__(self) -> str:
        return self.route

    def match(self, name: str) -> dict[str, Any] | None:
        """The parameters' values, where the name is one of this route's."""
        found = self._pattern.match(name)
        return found[2] if found else None

    def name(self, values: Mapping[str, Any]) -> str:
        """Raises TypeError where the parameters are others, ValueError where a value has no place in a name."""
        if values.keys() != self.parameters.keys():
            wanted = ", ".join(self.parameters) or "none"
            raise TypeError(
                f"The route {self.route!r} has the parameters {wanted}; given: {', '.join(values) or 'none'}."
            )
        name = PARAMETER.sub(lambda found: str(self.parameters[found[1]].to_url(values[found[1]])), self.route)
        if not is_name(name) or self.match(name) is None:
            raise ValueError(f"{name!r} is no name that the route {self.route!r} leads to.")
        return name

    def clashes(self, other: "Route") -> bool:
        """Whether both lead to some name: where each part of the one could be the same part of the other."""
        ours, theirs = self.route.split("/"), other.route.split("/")
        if "path" in {type(c).__name__.removesuffix("Converter").lower() for c in self._all(other)}:
            return ours[0] == theirs[0] or "<" in ours[0] + theirs[0]
        return len(ours) == len(theirs) and all(map(_may_be_same, ours, theirs))

    def _all(self, other: "Route") -> list[Any]:
        return [*self.parameters.values(), *other.parameters.values()]


def _may_be_same(one: str, other: str) -> bool:
    return one == other or "<" in one or "<" in other


def is_name(name: str) -> bool:
    """Whether a topic could be called this at all: in Unicode's form NFC, visible, and short enough.

    The joiners that Persian or Hindi cannot do without are left to the route's converters.
    """
    visible = name if name.isprintable() else JOINERS.sub("", name)
    return 0 < len(name) <= MAX_NAME and visible.isprintable() and unicodedata.is_normalized("NFC", name)


classes: "list[type[Topic]]" = []
"""Every topic that has a route, in the order of their definition."""

MOST_FOUND: Final = 10_000  # handles that are kept
_found: "dict[str, Topic]" = {}


def register(topic: "type[Topic]") -> None:
    """A class that is defined anew, as by a reload, takes the place of the earlier one."""
    identity = topic.__module__, topic.__qualname__
    classes[:] = [other for other in classes if (other.__module__, other.__qualname__) != identity]
    classes.append(topic)
    _found.clear()


def shared(topic: "Topic") -> "Topic":
    """One handle for all who are interested in the topic for long."""
    if len(_found) >= MOST_FOUND:
        _found.clear()
    return _found.setdefault(topic.name, topic)


def find(name: str) -> "Topic":
    """The handle of that name. Raises NoSuchTopic."""
    if (kept := _found.get(name)) is not None:
        return kept
    if is_name(name):
        for topic in classes:
            if (values := topic.parsed_route.match(name)) is not None:
                return shared(topic(**values))
    raise NoSuchTopic(f"No topic is called {name[:MAX_NAME]!r}.")


def declare(kind: "type[Topic]") -> None:
    """Takes on a class that has just been made. Raises ImproperlyConfigured where what it says makes no sense."""
    route = kind.parsed_route = Route(kind.route)
    for limit in ("rate", "new_per_hour"):
        most = getattr(kind, limit)
        if most is not None and (not isinstance(most, int) or most < 1):
            raise ImproperlyConfigured(f"{kind.__name__}.{limit} is a whole number from 1 or None, not {most!r}.")
    if kind.keep is not None and not (isinstance(kind.keep, timedelta) and kind.keep > timedelta(0)):
        raise ImproperlyConfigured(f"{kind.__name__}.keep is a timedelta such as timedelta(days=30), or None.")
    for parameter in route.parameters:
        if parameter == "name" or hasattr(kind, parameter):
            raise ImproperlyConfigured(f"{kind.route!r}: {parameter!r} means something else in a topic.")
    register(kind)

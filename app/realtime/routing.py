"""Channels' routers, which keep nothing for an open socket, and know include().

Channels' own are coroutines, each of which lives as long as the socket that it has led somewhere, with a copy of the
scope. These find the application, hand the socket on and are done with it. They are marked, as is whatever else
returns another application's coroutine: else asgiref, servers and test clients take them for ASGI 2.
"""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

import channels.routing
from asgiref.sync import markcoroutinefunction
from django.urls import Resolver404, URLPattern, URLResolver

Scope = dict[str, Any]

current: Final[ContextVar[str]] = ContextVar("route", default="")
"""Of the socket that something is done for: the pattern, which has no words of a client's."""


class ProtocolTypeRouter(channels.routing.ProtocolTypeRouter):
    """By the scope's type: http, websocket, lifespan."""

    @markcoroutinefunction
    def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        if (application := self.application_mapping.get(scope["type"])) is None:
            raise ValueError(f"No application configured for scope type {scope['type']!r}")
        return application(scope, receive, send)


class Found(NamedTuple):
    application: Any
    route: str
    rest: str  # of the path, for an application that goes on routing
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class URLRouter(channels.routing.URLRouter):
    """By the path and Django's patterns: the first that matches. They may be of path(), re_path() and include()."""

    def __init__(self, routes: Iterable[URLPattern | URLResolver]) -> None:
        super().__init__([_without_include(route) for route in routes])

    @markcoroutinefunction
    def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        path = scope.get("path_remaining", scope["path"].removeprefix(scope.get("root_path", "")))
        found = self._find(path.lstrip("/"))
        if found is None:
            raise Resolver404(f"No route found for path {path!r}.")
        current.set(found.route)
        outer: Mapping[str, Any] = scope.get("url_route", {"args": (), "kwargs": {}})
        scope["path_remaining"] = found.rest
        scope["url_route"] = {"args": outer["args"] + found.args, "kwargs": {**outer["kwargs"], **found.kwargs}}
        return found.application(scope, receive, send)

    def _find(self, path: str) -> Found | None:
        """Looks inside of nested routers, too, so that where one of them has nothing the next route has its turn."""
        for route in self.routes:
            try:
                match = route.pattern.match(path)
            except Resolver404:  # which a converter may raise
                continue
            if match is None:
                continue
            rest, args, kwargs = match
            kwargs |= route.default_args
            if not isinstance(route.callback, URLRouter):
                return Found(route.callback, str(route.pattern), rest, args, kwargs)
            if inner := route.callback._find(rest):
                return Found(
                    inner.application,
                    f"{route.pattern}{inner.route}",
                    inner.rest,
                    args + inner.args,
                    kwargs | inner.kwargs,
                )
        return None


def _without_include(route: URLPattern | URLResolver) -> URLPattern:
    """The same as a route to a router of ours, of which Channels knows that it wants the rest of the path."""
    if isinstance(route, URLResolver):
        return URLPattern(route.pattern, URLRouter(route.url_patterns), route.default_kwargs)
    inner: Any = route.callback
    if type(inner) is channels.routing.URLRouter:
        return URLPattern(route.pattern, URLRouter(inner.routes), route.default_args, route.name)
    return route

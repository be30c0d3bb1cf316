"""Which application serves which path, by Django's URL patterns; the first that matches.

It hands the socket on and is done with it. A coroutine of its own, and a copy of the scope, would be kept as
long as the socket lives.
"""

from collections.abc import Sequence
from typing import Any

from django.urls import URLPattern


class Routes:
    """ASGI application. LookupError where nothing matches: the last pattern should be one that always does."""

    def __init__(self, patterns: Sequence[URLPattern]) -> None:
        self._patterns = patterns

    def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        path = scope["path"].lstrip("/")
        for pattern in self._patterns:
            if match := pattern.pattern.match(path):
                _, args, kwargs = match
                scope["url_route"] = {"args": args, "kwargs": kwargs}
                return pattern.callback(scope, receive, send)
        raise LookupError(f"no route leads to {scope['path']!r}")

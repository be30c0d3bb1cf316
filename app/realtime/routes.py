"""Which application serves which path, by Django's URL patterns; the first that matches.

It hands the socket on and is done with it. A coroutine of its own, and a copy of the scope, would be kept as
long as the socket lives.
"""

from collections.abc import Sequence
from typing import Any

from django.urls import URLPattern


class Routes:
    """ASGI application. Where nothing matches, `otherwise` serves."""

    def __init__(self, patterns: Sequence[URLPattern], otherwise: Any) -> None:
        self._patterns = patterns
        self._otherwise = otherwise

    def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        path = scope["path"].lstrip("/")
        for pattern in self._patterns:
            if match := pattern.pattern.match(path):
                _, args, kwargs = match
                scope["url_route"] = {"args": args, "kwargs": kwargs}
                return pattern.callback(scope, receive, send)
        return self._otherwise(scope, receive, send)

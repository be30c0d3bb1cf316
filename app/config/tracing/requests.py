"""The request that begins a trace: Django's middleware, so that static files and probers have none."""

from typing import Any, Final, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from opentelemetry.trace import Status, StatusCode

from config.tracing.spans import Part, Spans
from realtime import tracing

METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER: Final = "_OTHER"  # what strangers invent does not become a name


class Requests:
    """Under WSGI and ASGI."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        part = begun(request)
        if part is None:
            return self.get_response(request)
        if self.is_async:
            return self._soon(request, part)
        with part.within():
            response = self.get_response(request)
        return answered(part, request, response)

    async def _soon(self, request: HttpRequest, part: Part) -> HttpResponseBase:
        with part.within():
            response = await self.get_response(request)
        return answered(part, request, response)


def begun(request: HttpRequest) -> Part | None:
    if tracing.tracer is None:  # before gunicorn's worker is ready
        return None
    method = request.method if request.method in METHODS else OTHER
    given = request.headers.get("traceparent", "")
    return cast(Spans, tracing.tracer).request(str(method), given, {"http.request.method": method})


def answered(part: Part, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The route, never the path: that has people's words in it."""
    if request.resolver_match is not None:
        route = f"/{request.resolver_match.route}"
        part.span.update_name(f"{request.method} {route}")
        part.span.set_attribute("http.route", route)
    part.span.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= 500:
        part.span.set_status(Status(StatusCode.ERROR))
    part.span.end()
    return response

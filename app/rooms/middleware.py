"""A form that cannot be read is its sender's fault, whatever Django's parsers raise: 400, and nothing in the log.

Whoever looks into a form first meets what they raise. Here that is nobody later, and above all not the CSRF check.
"""

from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from rooms.errors import bad_request


@sync_and_async_middleware
def readable_forms(get_response: Any) -> Any:
    def checked(request: HttpRequest) -> HttpResponseBase:
        return refusal(request) or get_response(request)

    async def checked_async(request: HttpRequest) -> HttpResponseBase:
        refused = await sync_to_async(refusal)(request) if request.method == "POST" else None
        return refused or await get_response(request)

    return checked_async if iscoroutinefunction(get_response) else checked


def refusal(request: HttpRequest) -> HttpResponseBase | None:
    try:
        _ = request.POST
    except Exception:
        return bad_request(request)
    return None

"""Notes where somebody is logged in, and lets nobody who has an account go on as the guest she was.

Only pages that have looked at who is asking are of interest: sockets and topics have a way of their own.
"""

import logging
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from accounts import sessions
from topics.people import COOKIE

logger = logging.getLogger(__name__)


@sync_and_async_middleware
def logged_in(get_response: Any) -> Any:
    def noted(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        if is_page(request):
            note(request, response)
        return response

    async def noted_async(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await get_response(request)
        if is_page(request):
            await sync_to_async(note)(request, response)
        return response

    return noted_async if iscoroutinefunction(get_response) else noted


def is_page(request: HttpRequest) -> bool:
    """Whether a view has been asked that knows no loop, and has looked at the session."""
    match = request.resolver_match
    return request.session.accessed and match is not None and not iscoroutinefunction(match.func)


def note(request: HttpRequest, response: HttpResponseBase) -> None:
    """A guest's name may be an account's by now, and would be hers again after the log-out."""
    try:
        if not request.user.is_authenticated:
            return
        sessions.note(request)
    except DatabaseError as error:
        logger.warning("it could not be noted where somebody is logged in: %s", error)
        return
    if COOKIE in request.COOKIES:
        response.delete_cookie(COOKIE, samesite="Lax")

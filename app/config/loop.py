"""Says why a redirect to https would never end, instead of sending it.

A proxy in front ends TLS and says so in X-Forwarded-Proto, but is not believed: the request counts as http, is
redirected to https, arrives as http again, and so on in every browser without a line in any log.
"""

import ipaddress
import logging
import time
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from realtime.proxy import last

LOG_SECONDS = 60  # between two lines, which anybody can cause
NOT_NAMED = (
    "The proxy at {address} says that it was asked by https, but it is not among TRUSTED_PROXIES, so this site would "
    "redirect to itself for ever. If it is yours, add {address}, or the word gateway if it runs on the same host, to "
    "TRUSTED_PROXIES in .env and run `make up`."
)
NO_HOPS = (
    "A proxy says that it was asked by https, but PROXY_HOPS is 0, so this site would redirect to itself for ever. "
    "If exactly one proxy of yours stands in front, set PROXY_HOPS=1."
)

logger = logging.getLogger(__name__)


class LoopMiddleware:
    """Stands before Django's SecurityMiddleware, which redirects."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        self._logged = -float("inf")
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        sentence = why_not_believed(request) if settings.SECURE_SSL_REDIRECT and not request.is_secure() else ""
        if not sentence:
            return self.get_response(request)
        self._log(sentence)
        return self._soon(answer(sentence)) if self.is_async else answer(sentence)

    def _log(self, sentence: str) -> None:
        if time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged = time.monotonic()
            logger.error(sentence)

    async def _soon(self, response: HttpResponseBase) -> HttpResponseBase:
        return response


def why_not_believed(request: HttpRequest) -> str:
    """Empty where nobody claims https, which is when the redirect is right."""
    if not settings.PROXY_HOPS:
        return NO_HOPS if last(request.headers.get("X-Forwarded-Proto", "")).lower() in {"https", "wss"} else ""
    try:
        address = ipaddress.ip_address(request.headers.get("X-Unbelieved-Proxy", ""))  # by nginx/proxy.conf
    except ValueError:
        return ""
    return NOT_NAMED.format(address=address)


def answer(sentence: str) -> HttpResponseBase:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    response = HttpResponse(f"{sentence}\n", status=500, content_type="text/plain; charset=utf-8", headers=headers)
    response._has_been_logged = True  # type: ignore[attr-defined]  # by this module, and not once a request
    return response

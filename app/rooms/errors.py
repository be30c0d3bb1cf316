"""The pages for what went wrong. They need nothing of the request: what is in it may be what went wrong.

Django's own look for the form's token, and so read the form again, and raise again.
"""

import logging
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS: Final = 5


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return page("400.html", HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return page("403.html", HTTPStatus.FORBIDDEN)


def form_out_of_date(request: HttpRequest, reason: str = "") -> HttpResponse:
    return page("403_csrf.html", HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return page("404.html", HTTPStatus.NOT_FOUND)


def broken(request: HttpRequest) -> HttpResponse:
    return page("500.html", HTTPStatus.INTERNAL_SERVER_ERROR)


def away(request: HttpRequest) -> HttpResponse:
    response = page("503.html", HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def page(template: str, status: HTTPStatus) -> HttpResponse:
    """A page that cannot be made, as its style sheet is not there, is a sentence."""
    try:
        return HttpResponse(render_to_string(template), status=status)
    except Exception:
        logger.exception("the page %s cannot be made", template)
        return HttpResponse(f"{status.phrase}.\n", status=status, content_type="text/plain; charset=utf-8")

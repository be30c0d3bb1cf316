"""What a browser must be told so that a page of an origin in ALLOWED_ORIGINS may ask here and read the answer."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from topics.conf import settings

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "authorization, content-type, last-event-id, topics-person",
    "Access-Control-Max-Age": "600",
}


def is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def preflight() -> HttpResponse:
    return HttpResponse(status=204, headers=PREFLIGHT)


def share(request: HttpRequest, response: HttpResponseBase) -> None:
    """With the cookies of whoever visits: a page of such an origin may open sockets with them as well."""
    patch_vary_headers(response, ["Origin"])
    if (origin := request.headers.get("Origin")) in settings.ALLOWED_ORIGINS:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Expose-Headers"] = "Retry-After"

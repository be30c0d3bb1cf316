"""What goes wrong with a request for a topic, told as problem details (RFC 9457), and who asks."""

from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from realtime.admission import subscriber
from realtime.origin import is_welcome
from topics.conf import settings
from topics.delivery.arrivals import claim_of
from topics.delivery.services import UNAVAILABLE, Barred, Denied, Services
from topics.http import cors
from topics.people import person_of, remember_guest
from topics.storing.gathering import Unanswered
from topics.tokens.authentication import NotValid
from topics.who.identity import Identity

STATUS: Final = {
    "no_such_topic": 404,
    "forbidden": 403,
    "rate_limited": 429,
    "too_many_new_topics": 429,
    "bad_frame": 422,
    "conflict": 409,
    "not_growing": 409,
    "unavailable": 503,
}

View = Callable[..., Awaitable[HttpResponseBase]]


class Problem(Exception):
    """An answer that says what is wrong: a status, a code for programs, a sentence for people."""

    def __init__(
        self, status: int, code: str, detail: str, retry_after_ms: int | None = None, allow: str = "", **more: Any
    ) -> None:
        """`allow` are the methods, where another one was taken; `more` are further members, which say where it is."""
        super().__init__(detail)
        self.status, self.code, self.detail, self.retry_after_ms, self.more = status, code, detail, retry_after_ms, more
        self.allow = allow

    def response(self) -> HttpResponse:
        fields = {"title": HTTPStatus(self.status).phrase, "status": self.status, "code": self.code}
        wait = {"retry_after_ms": self.retry_after_ms} if self.retry_after_ms else {}
        response = JsonResponse({**fields, "detail": self.detail, **wait, **self.more}, status=self.status)
        response["Content-Type"] = "application/problem+json"
        response["Cache-Control"] = "no-store"
        if self.allow:
            response["Allow"] = self.allow
        if self.retry_after_ms:
            response["Retry-After"] = str(-(-self.retry_after_ms // 1000))
        return response


def answered(view: View) -> Any:
    """The view, given who asks; what it raises becomes an answer."""

    @csrf_exempt  # a page of another site is known by its Origin, as it is at a socket's door
    @wraps(view)
    async def wrapper(request: HttpRequest, **named: Any) -> HttpResponseBase:
        response = cors.preflight() if cors.is_preflight(request) else await answer(request, **named)
        cors.share(request, response)
        return response

    async def answer(request: HttpRequest, **named: Any) -> HttpResponseBase:
        try:
            if not isinstance(request, ASGIRequest):
                raise Problem(501, "wrong_server", "Topics are served by the ASGI server: send /topics/ there.")
            if not is_welcome(dict(request.scope)):
                raise Problem(403, "forbidden", "Pages of this origin may not ask here: add it to ALLOWED_ORIGINS.")
            identity = request.identity = await identified(request)  # type: ignore[attr-defined]
            response = await view(request, person=identity.person, **named)
            if hasattr(request, "person"):  # it was asked who that is by cookies
                remember_guest(response, request.person)
            return response
        except NotValid:
            return not_valid()
        except Problem as problem:
            return problem.response()
        except Denied as refused:
            return _problem(refused).response()
        except (DatabaseError, Unanswered):
            return _problem(Denied(*UNAVAILABLE)).response()

    return wrapper


async def identified(request: ASGIRequest) -> Identity:
    """Who asks: by cookies where nothing else says so. Raises Problem, NotValid, Unanswered."""
    scope = dict(request.scope)
    if without_cookie := await Services.here().arrivals.without_cookie(claim_of(scope), subscriber(scope)):
        return without_cookie
    person = await sync_to_async(person_of)(request)
    if person.guest and not settings.ALLOW_GUESTS:
        raise Problem(401, "login_required", "Log in first.")
    return Identity(person, session=None if person.guest else request.session.session_key)


def not_valid() -> HttpResponse:
    """The same for every secret that is not valid, whatever is wrong with it."""
    response = Problem(401, "login_required", "This token or ticket is not valid, or not any more.").response()
    response["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _problem(refused: Denied) -> Problem:
    status = 403 if isinstance(refused, Barred) else STATUS.get(refused.code, 422)
    return Problem(status, refused.code, refused.detail, refused.retry_after_ms)

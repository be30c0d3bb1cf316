"""Topics over plain HTTP, under /topics/<name>: pages of history, appending, and the stream of events.

    GET   ?after= or ?before=, limit=          a page of events, in order
    GET   with Accept: text/event-stream       the stream; resumes by Last-Event-ID, or ?since= and ?epoch=
    POST  {"id": …, "data": …}, or a list      appends; the same id again is the same event

Served where the hub is, by the ASGI server. What goes wrong is told as problem details (RFC 9457).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from realtime import drain
from realtime.origin import is_welcome
from topics import database, logs, rates, replay
from topics.arrivals import Forbidden
from topics.gathering import Unanswered
from topics.live import worded
from topics.log import Outcome, Stored
from topics.people import Person, person_of, remember_guest
from topics.permission import READ, may
from topics.replay import Page
from topics.services import NO_SUCH_TOPIC, UNAVAILABLE, Denied, Services, denied, topic_of
from topics.stream import EventStream, position_of
from topics.topic import Topic
from topics.wording import MAX_ID, chosen_id, is_utf_8, timestamp

PAGE: Final = 50  # events, unless said otherwise,
LONGEST_PAGE: Final = 200  # at most
MOST_AT_ONCE: Final = 100  # events in one POST
STATUS: Final = {
    "no_such_topic": 404,
    "forbidden": 403,
    "rate_limited": 429,
    "bad_frame": 422,
    "conflict": 409,
    "unavailable": 503,
}

View = Callable[..., Awaitable[HttpResponseBase]]


class Problem(Exception):
    """An answer that says what is wrong: a status, a code for programs, a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, retry_after_ms: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.retry_after_ms = status, code, detail, retry_after_ms

    def response(self) -> HttpResponse:
        fields = {"title": HTTPStatus(self.status).phrase, "status": self.status, "code": self.code}
        response = JsonResponse({**fields, "detail": self.detail}, status=self.status)
        response["Content-Type"] = "application/problem+json"
        response["Cache-Control"] = "no-store"
        if self.retry_after_ms:
            response["Retry-After"] = str(-(-self.retry_after_ms // 1000))
        return response


def answered(view: View) -> Any:
    """The view, given who asks; what it raises becomes an answer."""

    @csrf_exempt  # a page of another site is known by its Origin, as it is at a socket's door
    @wraps(view)
    async def wrapper(request: HttpRequest, name: str) -> HttpResponseBase:
        try:
            if not isinstance(request, ASGIRequest):
                raise Problem(501, "wrong_server", "Topics are served by the ASGI server: send /topics/ there.")
            if not is_welcome(dict(request.scope)):
                raise Problem(403, "forbidden", "Pages of this origin may not ask here: add it to ALLOWED_ORIGINS.")
            person = await sync_to_async(person_of)(request)
            if person.guest and not settings.ALLOW_GUESTS:
                raise Problem(401, "login_required", "Log in first.")
            response = await view(request, name, person)
            remember_guest(response, person)
            return response
        except Problem as problem:
            return problem.response()
        except Denied as refused:
            return _problem(refused).response()
        except (DatabaseError, Unanswered):
            return _problem(Denied(*UNAVAILABLE)).response()

    return wrapper


def _problem(refused: Denied) -> Problem:
    return Problem(STATUS.get(refused.code, 422), refused.code, refused.detail, refused.retry_after_ms)


@answered
async def topic(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    if request.method == "POST":
        return await append(request, name, person)
    if request.method not in {"GET", "HEAD"}:
        raise Problem(405, "bad_method", "GET reads, POST appends.")
    if request.accepts("text/event-stream") and "text/event-stream" in request.headers.get("Accept", ""):
        return await stream(request, name, person)
    return await history(request, name, person)


# --- Reading -----------------------------------------------------------------------------------------


async def history(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    topic = await readable(name, person)
    after, before = number(request, "after"), number(request, "before")
    limit = min(number(request, "limit") or PAGE, LONGEST_PAGE)
    body = await database.run(database.readers, page, topic.name, after, before, limit)
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def readable(name: str, person: Person) -> Topic:
    topic = topic_of(name)
    if not await may(topic, person, READ):
        raise Denied(*NO_SUCH_TOPIC)
    return topic


def number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem(400, "bad_request", f"{name} is a whole number.")
    return int(text)


def page(name: str, after: int | None, before: int | None, limit: int) -> str:
    """JSON: the topic, where its log ends, and the events. Without a number the latest; each is encoded once."""
    log = logs.look(name)
    if log is None:
        return json.dumps({"topic": name, "epoch": "", "seq": 0, "events": []}, ensure_ascii=False)
    if after is None:
        after = max(0, (log.seq + 1 if before is None else before) - 1 - limit)
        limit = min(limit, max(0, (log.seq + 1 if before is None else before) - 1 - after))
    wanted = Page(log.pk, after, limit)
    events = [stored for stored in replay.read_all([wanted])[wanted] if before is None or stored.seq < before]
    head = json.dumps({"topic": name, "epoch": log.epoch, "seq": log.seq}, ensure_ascii=False)
    return f'{head[:-1]}, "events": [{",".join(worded(name, stored) for stored in events)}]}}'


async def stream(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    since, epoch = position_of(request.headers.get("Last-Event-ID", ""))
    if since is None and "since" in request.GET:
        since, epoch = number(request, "since"), request.GET.get("epoch", "")
    if drain.draining() or len(drain.sockets) >= settings.MAX_SOCKETS:
        raise Denied(*UNAVAILABLE)
    services = Services.here()
    topic = topic_of(name)
    try:
        snapshot = await services.arrivals.join(topic, person, since, epoch)
    except Forbidden:
        raise Denied(*NO_SUCH_TOPIC) from None
    body = EventStream(services, topic, person, None if person.guest else request.session.session_key, snapshot)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(body, content_type="text/event-stream", headers=headers)


# --- Appending ---------------------------------------------------------------------------------------


async def append(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    wanted = posted(request)
    several = wanted if isinstance(wanted, list) else [wanted]
    begun = [await begin(name, person, one) for one in several]  # in order; they are stored together
    outcomes = [await landing if isinstance(landing, asyncio.Future) else landing for landing in begun]
    if isinstance(wanted, list):
        results = [result(one["id"], outcome) for one, outcome in zip(several, outcomes, strict=True)]
        return JsonResponse({"results": results}, headers={"Cache-Control": "no-store"})
    if isinstance(outcomes[0], Denied):
        raise outcomes[0]
    status = 201 if outcomes[0] is not None and outcomes[0].fresh else 200
    return JsonResponse(result(wanted["id"], outcomes[0]), status=status, headers={"Cache-Control": "no-store"})


Became = Stored | Denied | None
"""What became of an event: stored, or why not; None where the topic took it and appended nothing."""


async def begin(name: str, person: Person, one: dict[str, Any]) -> "asyncio.Future[Became] | Denied | None":
    services = Services.here()
    try:
        if too_early := rates.post(person):
            raise Denied("rate_limited", "That was too fast.", int(too_early * 1000) + 1)
        sent = await services.taken(topic_of(name), one["id"], person, one["data"])
    except Denied as refused:
        return refused
    if sent is None:
        return None
    landing: asyncio.Future[Became] = services.hub.loop.create_future()

    def landed(outcome: Outcome) -> None:
        if not landing.done():  # it is cancelled where the client has gone
            landing.set_result(outcome if isinstance(outcome, Stored) else denied(outcome))

    services.writer.append(sent, landed, tuple(rates.limits(person)))
    return landing


def result(id: str, became: Became) -> dict[str, Any]:
    if isinstance(became, Denied):
        return {"id": id, "error": {"code": became.code, "detail": became.detail}}
    return {"id": id, "seq": became.seq if became else None, "at": timestamp(became.at) if became else None}


def posted(request: ASGIRequest) -> Any:
    """One {"id", "data"} or a list of them; an id that is left out is chosen."""
    if request.content_type != "application/json":
        raise Problem(415, "bad_request", "Send JSON: Content-Type: application/json.")
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Problem(400, "bad_request", "The body is no JSON.") from None
    several = found if isinstance(found, list) else [found]
    if not 0 < len(several) <= MOST_AT_ONCE:
        raise Problem(422, "bad_request", f"A list has 1 to {MOST_AT_ONCE} events.")
    for one in several:
        if not isinstance(one, dict) or "data" not in one or not good_id(one.setdefault("id", chosen_id())):
            raise Problem(
                422, "bad_request", f'An event is {{"id": …, "data": …}}; an id has 1 to {MAX_ID} characters.'
            )
    return found


def good_id(id: Any) -> bool:
    return isinstance(id, str) and 0 < len(id) <= MAX_ID and is_utf_8(id) and "\x00" not in id

"""Topics over plain HTTP, under /topics/<name>: pages of history, appending, and the stream of events.

    GET   ?after= or ?before=, limit=          a page of events, in order
    GET   ?members, limit=                     who follows the topic now
    GET   with Accept: text/event-stream       the stream; resumes by Last-Event-ID, or ?since= and ?epoch=
    POST  {"id": …, "data": …}, or a list      appends; the same id again is the same event
    POST  ?cancel=                             stops the event of that number, which grows

Served where the hub is, by the ASGI server. What goes wrong is told as problem details (RFC 9457).
"""

import json
from typing import Final

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from realtime import admission, metrics
from realtime.closing import TOO_MANY
from topics import rates
from topics.delivery.live import worded
from topics.delivery.services import UNAVAILABLE, Denied, Services, barred, topic_of
from topics.errors import Unreachable
from topics.http.posting import append, cancel
from topics.http.problems import Problem, answered
from topics.http.stream import EventStream, position_of
from topics.people import Person, shown
from topics.permission import READ, refusal
from topics.storing import database, logs, replay, replica
from topics.storing.replay import Page
from topics.topic import Topic

PAGE: Final = 50  # events, unless said otherwise,
LONGEST_PAGE: Final = 200  # at most
MEMBERS: Final = 100  # people, unless said otherwise
LONGEST_EPOCH: Final = 32  # characters


@answered
async def topic(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    if request.method == "POST":
        seq = number(request, "cancel", least=1)
        return await (append(request, name, person) if seq is None else cancel(request, name, person, seq))
    if request.method not in {"GET", "HEAD"}:
        raise Problem(405, "bad_method", "GET reads, POST appends.", allow="GET, HEAD, POST")
    Services.here().take(rates.reads(person), rates.reads_too_often, "You have asked too often: wait a moment.")
    streams = request.accepts("text/event-stream") and "text/event-stream" in request.headers.get("Accept", "")
    if streams and request.method == "GET":
        return await stream(request, name, person)
    if "members" in request.GET:
        return await members(request, name, person)
    return await history(request, name, person)


# --- Reading -----------------------------------------------------------------------------------------


async def history(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    topic = await readable(name, person)
    after, before = number(request, "after"), number(request, "before")
    limit = number(request, "limit", least=1)
    limit = PAGE if limit is None else min(limit, LONGEST_PAGE)
    body = await database.run(database.readers, page, topic.name, after, before, limit)
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def members(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    topic = await readable(name, person)
    limit = number(request, "limit", least=1)
    try:
        found = await topic.amembers(MEMBERS if limit is None else limit)
    except Unreachable as unreachable:
        raise Denied("unavailable", str(unreachable), UNAVAILABLE[2]) from None
    page = {"topic": topic.name, "members": [shown(one) for one in found], "member_count": found.total}
    return JsonResponse(page, headers={"Cache-Control": "no-store"}, json_dumps_params={"ensure_ascii": False})


async def readable(name: str, person: Person) -> Topic:
    topic = topic_of(name)
    if why := await refusal(topic, person, READ):
        raise barred(why)
    return topic


def number(request: HttpRequest, name: str, least: int = 0) -> int | None:
    """Of the query. Raises Problem where it is none."""
    text = request.GET.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) >= least):
        raise Problem(400, "bad_request", f"{name} is a whole number from {least}, not {text[:40]!r}.")
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
    if before is None:  # who asks for what follows may go on from it
        found = replay.read_all([wanted])[wanted]
    else:
        read = replica.as_of(name, log.epoch, log.seq, lambda: replay.read_all([wanted])[wanted])
        found = [stored for stored in read if stored.seq < before]
    head = json.dumps({"topic": name, "epoch": log.epoch, "seq": log.seq}, ensure_ascii=False)
    return f'{head[:-1]}, "events": [{",".join(worded(name, stored) for stored in found)}]}}'


# --- The stream --------------------------------------------------------------------------------------


async def stream(request: ASGIRequest, name: str, person: Person) -> HttpResponseBase:
    since, epoch = asked_position(request)
    address = admission.limited(dict(request.scope))
    if reason := admission.here.full(address):
        raise crowded(reason)
    services = Services.here()
    topic = topic_of(name)
    snapshot = await services.join(topic, person, since, epoch)
    identity = request.identity  # type: ignore[attr-defined]
    body = EventStream(services, topic, identity, snapshot, address)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(body, content_type="text/event-stream", headers=headers)


def asked_position(request: ASGIRequest) -> tuple[int | None, str | None]:
    """(since, epoch): of the id that the browser had last, or of the address. Raises Problem."""
    since, epoch = position_of(request.headers.get("Last-Event-ID", ""))
    if since is not None or not {"since", "epoch"} & request.GET.keys():
        return since, epoch
    since, epoch = number(request, "since"), request.GET.get("epoch")
    if since is None or epoch is None:
        raise Problem(400, "bad_request", "since and epoch come together: both are in `joined`, and in each id.")
    if len(epoch) > LONGEST_EPOCH:
        raise Problem(400, "bad_request", f"An epoch has {LONGEST_EPOCH} characters at most.")
    return since, epoch


def crowded(reason: str) -> Denied:
    """A stream that does not fit in."""
    metrics.refused.labels(reason).inc()
    if reason == TOO_MANY.reason:
        return Denied("rate_limited", "Too many sockets and streams are open from your address.", TOO_MANY.after_ms)
    return Denied(*UNAVAILABLE)

"""The inspector at /topics/: which topics there are and who follows them, and a place to try one on a bad line.

For staff; while DEBUG is on also for whoever sits at the machine itself. What somebody joins or sends there is asked of
the topic as anywhere else. The last events are for who may see them in the admin.
"""

import asyncio
import ipaddress
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from topics import routes
from topics.errors import NoSuchTopic, Unreachable
from topics.models import Entry, Log
from topics.people import person_of, remember_guest
from topics.storing import database

MOST: Final = 50  # topics on the page: those that changed last
SHOWN: Final = 200  # characters of an event


@never_cache
@require_safe
async def inspector(request: HttpRequest) -> HttpResponseBase:
    """The page, or what is on it now as JSON."""
    if "application/json" not in request.headers.get("Accept", ""):
        return await database.run(database.readers, page, request)
    rows = await database.run(database.readers, latest, request)
    counts = await asyncio.gather(*(followers(row["name"]) for row in rows))
    return JsonResponse({"topics": [{**row, "members": count} for row, count in zip(rows, counts, strict=True)]})


def may_look(request: HttpRequest) -> bool:
    return is_at_the_machine(request) or (request.user.is_active and request.user.is_staff)


def is_at_the_machine(request: HttpRequest) -> bool:
    """Only while DEBUG is on, and with no proxy between, whose own address would say nothing."""
    if not settings.DEBUG or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def page(request: HttpRequest) -> HttpResponse:
    if not may_look(request) and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not may_look(request):
        raise PermissionDenied
    person = person_of(request)
    context = {"person": person, "routes": [topic.route for topic in routes.classes], "most": MOST}
    response = render(request, "topics/inspector.html", context)
    remember_guest(response, person)  # so that a socket that was cut comes back as the same one
    return response


def latest(request: HttpRequest) -> list[dict[str, Any]]:
    """`last` is the beginning of the last event's data; null where it is not kept, or not for this person."""
    if not may_look(request):
        raise PermissionDenied
    part = request.GET.get("q", "").replace("\0", "")
    logs = Log.objects.filter(name__contains=part).order_by("-changed_at")[:MOST]
    found: dict[int, dict[str, Any]] = {log.pk: {"name": log.name, "seq": log.seq, "last": None} for log in logs}
    if is_at_the_machine(request) or request.user.has_perm("topics.view_entry"):
        ends = Entry.objects.filter(log__in=list(found), seq=F("log__seq"))
        for key, data in ends.values_list("log", "data"):
            found[key]["last"] = data[:SHOWN]
    return list(found.values())


async def followers(name: str) -> int | None:
    """None where it is not known: no route leads to the log any more, or Redis does not answer."""
    try:
        return (await routes.find(name).amembers(0)).total
    except (NoSuchTopic, Unreachable):
        return None

"""The service worker, the manifest, and by which forms somebody says of what she is to be told, and where."""

from http import HTTPStatus
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.template import loader
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from phone import keys, levels, shell, subscriptions
from rooms import errors, making
from rooms.models import Room
from rooms.pages import SeeOther, page, remembered
from rooms.topics import RoomTopic
from topics import Person, Refused

PAPER: Final = "#f6f5f2"
INK: Final = "#2f6299"
FIELDS: Final = ("endpoint", "p256dh", "auth", "words")


@require_safe
@cache_control(no_cache=True)
def worker(request: HttpRequest) -> HttpResponse:
    """At the root, since it is for all pages; asked for anew each time, so that a new release reaches everybody."""
    return HttpResponse(shell.worker(reverse("offline")), content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(no_cache=True)
def manifest(request: HttpRequest) -> HttpResponse:
    icons = [
        {"src": static(f"phone/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in (
            ("icon-192", 192, "any"),
            ("icon-512", 512, "any"),
            ("maskable-512", 512, "maskable"),
        )
    ]
    told: dict[str, Any] = {
        "id": "/",
        "name": _("Rooms"),
        "short_name": _("Rooms"),
        "start_url": reverse("lobby"),
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": INK,
        "icons": icons,
    }
    return JsonResponse(told, content_type="application/manifest+json")


@require_safe
@never_cache
def offline(request: HttpRequest) -> HttpResponse:
    """What is shown instead of a page where there is no network: the same for everybody."""
    return HttpResponse(loader.render_to_string("phone/offline.html"))


@page
def push(request: HttpRequest, person: Person) -> HttpResponse:
    """What a browser must know to be told; by POST, it is to be."""
    if request.method != "POST":
        return JsonResponse({"key": keys.public_key(), "levels": levels.chosen(person)})
    try:
        subscriptions.keep(request, person, {name: request.POST.get(name, "") for name in FIELDS})
    except subscriptions.Unwanted as refusal:
        return HttpResponse(str(refusal), status=HTTPStatus.UNPROCESSABLE_ENTITY, content_type="text/plain")
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@require_POST
@page
def end(request: HttpRequest, person: Person) -> HttpResponse:
    subscriptions.end(person, request.POST.get("endpoint", ""))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@require_POST
@page
def notify(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    """Of what in this room she is to be told, on all her devices."""
    chosen, back = request.POST.get("level"), resolve_url("room", name)
    if chosen not in levels.LEVELS:
        return errors.bad_request(request)
    try:
        if not async_to_sync(RoomTopic(room=name).may)(person, "read"):
            return errors.not_found(request)
        if not person.known:
            raise Refused(str(subscriptions.NOBODY))
        making.make(name, person)  # as by its first message
        levels.choose(Room.objects.get(name=name), person, chosen)
    except DataError:
        return errors.not_found(request)
    except Refused as refusal:
        context = {"why": refusal, "back": back, "person": person}
        return render(request, "rooms/unchanged.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return remembered(SeeOther(back), person)

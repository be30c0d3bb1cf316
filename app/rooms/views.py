"""The pages beside the room's own, which is in `talking`. Each works without JavaScript."""

from http import HTTPStatus
from math import ceil
from typing import Any

from django.db import DatabaseError, DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from rooms import belonging, errors, making, sweeping
from rooms.conversation import number
from rooms.forms import SEARCH_AWAY, SEARCHES, TOO_MANY_NAMES, NameForm, RoomForm, SearchForm
from rooms.listing import BESIDE, SHOWN, listing
from rooms.moderation import force
from rooms.moderation.views import barred
from rooms.pages import SeeOther, page, remembered, room_page, show
from rooms.results import results
from rooms.topics import Lobby, RoomTopic
from topics import Person, Refused, rates


@page
def lobby(request: HttpRequest, person: Person) -> HttpResponse:
    form = RoomForm(person, request.POST or None)
    status = HTTPStatus.OK
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            if form.cleaned_data["closed"]:
                name = making.make_closed(name, person)
            else:
                making.make(name, person)
        except Refused as refusal:
            form.add_error("name", str(refusal))
            status = HTTPStatus.TOO_MANY_REQUESTS
        else:
            sweeping.sweep()
            return remembered(SeeOther(resolve_url("room", name)), person)
    after = request.GET.get("after")
    context = {"listing": listing(person, after=after), "after": after, "looking": SearchForm()}
    return show(request, person, "rooms/lobby.html", form, status, **context)


@page
def listed(request: HttpRequest, person: Person) -> HttpResponse:
    """The lobby's list alone, for a page that has been cut off: what is on it may be old."""
    here = request.GET.get("beside", "")
    context = {"listing": listing(person, BESIDE if here else SHOWN, here=here)}
    return remembered(render(request, "rooms/_rooms.html", context), person)


@room_page
def read(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    """Without JavaScript nobody knows what somebody has seen: she says so."""
    seq = number(request.POST.get("seq"))
    if seq:
        try:
            Lobby.read(RoomTopic(room=name), person, seq)
        except DataError:
            return errors.not_found(request)
    return remembered(SeeOther(resolve_url("lobby")), person)


@room_page
def search(request: HttpRequest, person: Person, name: str | None = None) -> HttpResponse:
    """Messages by their words: in a room, or in all rooms."""
    form = SearchForm(request.GET if "q" in request.GET else None)
    context: dict[str, Any] = {"room": name, "title": name and belonging.title_of(name, person)}
    if not form.is_valid():
        return show(request, person, "rooms/search.html", form, **context)
    if early := rates.search(person):
        form.add_error("q", SEARCHES)
        answer = show(request, person, "rooms/search.html", form, HTTPStatus.TOO_MANY_REQUESTS, **context)
        answer["Retry-After"] = str(ceil(early))
        return answer
    topic = RoomTopic(room=name) if name else None
    try:
        if name:
            force.check(name, person, force.READ)
        context["found"] = results(form.cleaned_data["q"], topic, person, number(request.GET.get("before")))
    except Refused as refusal:
        if refusal.code == "banned":
            return barred(request, person, refusal)
        form.add_error("q", str(refusal))
    except DataError:
        return errors.not_found(request)
    except DatabaseError:
        form.add_error("q", SEARCH_AWAY)
        return show(request, person, "rooms/search.html", form, HTTPStatus.SERVICE_UNAVAILABLE, **context)
    return show(request, person, "rooms/search.html", form, **context)


@page
def rename(request: HttpRequest, person: Person) -> HttpResponse:
    back = where_from(request)
    form = NameForm(person, request.POST or None, initial={"name": person.name})
    if not form.is_valid():
        return show(request, person, "rooms/name.html", form, next=back)
    if early := rates.rename(person):
        form.add_error("name", TOO_MANY_NAMES)
        answer = show(request, person, "rooms/name.html", form, HTTPStatus.TOO_MANY_REQUESTS, next=back)
        answer["Retry-After"] = str(ceil(early))
        return answer
    return remembered(SeeOther(back), form.person)


def where_from(request: HttpRequest) -> str:
    """The page of this site that sent the form, else the lobby."""
    back = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if ours else resolve_url("lobby")

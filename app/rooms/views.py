"""The pages. Each works without JavaScript; the room's page hands over to the browser client where there is one."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import DataError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from realtime.admission import subscriber_at
from rooms import errors, log, making, writer
from rooms.converters import valid_name
from rooms.forms import AWAY, CLASH, HASTE, OTHER, TOO_MANY_NAMES, UNSTORABLE, MessageForm, NameForm, RoomForm
from rooms.frames import MAX_BODY
from rooms.models import Room
from rooms.snapshots import LATEST
from topics import outcomes, rates
from topics.people import Person, person_of, remember_guest

ROOMS_SHOWN = 50

View = Callable[..., HttpResponse]


class SeeOther(HttpResponseRedirect):
    """The answer to a form that was carried out: the browser goes on with GET, and a reload sends nothing."""

    status_code = HTTPStatus.SEE_OTHER


def page(view: View) -> View:
    """A page for people: `view(request, person, ...)`. Never from a cache, where one would meet another's name."""

    @never_cache
    @require_http_methods(["HEAD", "GET", "POST"])
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if not (settings.ALLOW_GUESTS or request.user.is_authenticated):
            return redirect_to_login(request.get_full_path())
        return view(request, person_of(request), *args, **named)

    return wrapper


@page
def lobby(request: HttpRequest, person: Person) -> HttpResponse:
    form = RoomForm(request.POST or None)
    status = HTTPStatus.OK
    if form.is_valid():
        try:
            room = making.open_room(form.cleaned_data["name"], person, address_of(request))
        except making.TooManyRooms as refusal:
            form.add_error("name", str(refusal))
            status = HTTPStatus.TOO_MANY_REQUESTS
        else:
            return remembered(SeeOther(resolve_url("room", room.name)), person)
    rooms = [(room, naturaltime(room.changed_at)) for room in Room.objects.recent(ROOMS_SHOWN) if valid_name(room.name)]
    return show(request, person, "rooms/lobby.html", form, status, rooms=rooms)


@page
def room(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    try:
        room = Room.objects.named(name)
    except DataError:  # the database cannot hold such a name
        return errors.not_found(request)
    if request.method != "POST":
        return talk(request, person, room, MessageForm.blank(person))
    form = MessageForm(request.POST)
    if not form.is_valid():
        return talk(request, person, room, form)
    if not form.is_from(person):
        form.refuse(OTHER.format(person.name), fresh_for=person)
        return talk(request, person, room, form, HTTPStatus.CONFLICT)
    if rates.post(person, address_of(request)):
        form.refuse(HASTE)
        return talk(request, person, room, form, HTTPStatus.TOO_MANY_REQUESTS)
    try:
        said = form.cleaned_data
        writer.append(room, id=said["id"], person=person, body=said["body"], address=address_of(request))
    except making.TooManyRooms as refusal:
        form.refuse(str(refusal))
        return talk(request, person, room, form, HTTPStatus.TOO_MANY_REQUESTS)
    except log.Conflict:
        form.refuse(CLASH, fresh_for=person)
        return talk(request, person, room, form, HTTPStatus.CONFLICT)
    except outcomes.Unstorable:
        form.refuse(UNSTORABLE)
        return talk(request, person, room, form)
    except (outcomes.Unavailable, outcomes.Removed):
        form.refuse(AWAY)
        return talk(request, person, room, form, HTTPStatus.SERVICE_UNAVAILABLE)
    return remembered(SeeOther(resolve_url("room", room.name)), person)


def talk(request: HttpRequest, person: Person, room: Room, form: Form, status: int = HTTPStatus.OK) -> HttpResponse:
    """The room's page. `seq` is the number up to which it shows the log, from where the socket goes on."""
    messages = room.latest(LATEST)
    context = {
        "room": room,
        "seq": messages[-1].seq if messages else room.seq,
        "limit": MAX_BODY,
        "messages": [(message, message.person == person.as_dict()) for message in messages],
    }
    return show(request, person, "rooms/room.html", form, status, **context)


@page
def rename(request: HttpRequest, person: Person) -> HttpResponse:
    back = where_from(request)
    form = NameForm(person, request.POST or None, initial={"name": person.name})
    if not form.is_valid():
        return show(request, person, "rooms/name.html", form, next=back)
    if early := rates.rename(person, address_of(request)):
        form.add_error("name", TOO_MANY_NAMES)
        answer = show(request, person, "rooms/name.html", form, HTTPStatus.TOO_MANY_REQUESTS, next=back)
        answer["Retry-After"] = str(ceil(early))
        return answer
    return remembered(SeeOther(back), form.person)


def address_of(request: HttpRequest) -> str:
    return subscriber_at(request.META.get("REMOTE_ADDR", ""))


def where_from(request: HttpRequest) -> str:
    """The page of this site that sent the form, else the lobby."""
    back = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if ours else resolve_url("lobby")


def show(
    request: HttpRequest, person: Person, template: str, form: Form, status: int = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    if form.errors and status == HTTPStatus.OK:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    context |= {"person": person, "form": form}
    return remembered(render(request, template, context, status=status), person)


def remembered(response: HttpResponse, person: Person) -> HttpResponse:
    """The answer with the guest's cookie, so that the socket opened next is the same person."""
    remember_guest(response, person)
    return response

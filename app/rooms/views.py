"""The pages. Each works without JavaScript; the room's page hands over to the browser client where there is one."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, DataError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rooms import conversation, errors, making, sweeping
from rooms.conversation import Asked, number
from rooms.converters import checked_name
from rooms.forms import (
    AWAY,
    CLASH,
    HASTE,
    OTHER,
    SEARCH_AWAY,
    SEARCHES,
    TOO_MANY_NAMES,
    UNSTORABLE,
    ChangeForm,
    MessageForm,
    NameForm,
    RoomForm,
    SearchForm,
)
from rooms.frames import MAX_BODY
from rooms.listing import BESIDE, SHOWN, listing
from rooms.quotes import quotes
from rooms.results import results
from rooms.topics import Lobby, RoomTopic, body_of
from topics import BadData, Busy, Conflict, Person, Refused, person_of, rates
from topics.people import remember_guest

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
            name = checked_name(form.cleaned_data["name"])
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


@page
def room(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    try:
        return talk_or_answer(request, person, RoomTopic(room=name))
    except DataError:  # the database cannot hold such a name
        return errors.not_found(request)


def talk_or_answer(request: HttpRequest, person: Person, topic: RoomTopic) -> HttpResponse:
    if request.method != "POST":
        return talk(request, person, topic, MessageForm.blank(person, request.GET.get("reply", "")))
    form = MessageForm(request.POST)
    if not form.is_valid():
        return talk(request, person, topic, form)
    if not form.is_from(person):
        form.refuse(OTHER.format(person.name), fresh_for=person)
        return talk(request, person, topic, form, HTTPStatus.CONFLICT)
    if rates.post(person):
        form.refuse(HASTE)
        return talk(request, person, topic, form, HTTPStatus.TOO_MANY_REQUESTS)
    try:
        said = topic.append(said_by(topic, form), id=form.cleaned_data["id"], by=person)
        Lobby.read(topic, person, said.seq)
    except Refused as refusal:
        form.refuse(str(refusal))
        is_wrong = refusal.code == "bad_frame"
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.TOO_MANY_REQUESTS
        return talk(request, person, topic, form, status)
    except Conflict:
        form.refuse(CLASH, fresh_for=person)
        return talk(request, person, topic, form, HTTPStatus.CONFLICT)
    except (BadData, DataError):
        form.refuse(UNSTORABLE)
        return talk(request, person, topic, form)
    except (Busy, DatabaseError):
        form.refuse(AWAY)
        return talk(request, person, topic, form, HTTPStatus.SERVICE_UNAVAILABLE)
    return remembered(SeeOther(resolve_url("room", topic.room)), person)


def said_by(topic: RoomTopic, form: Form) -> dict[str, Any]:
    """The data of what the form says. Raises Refused."""
    seq = number(form.cleaned_data["reply"])
    return topic.said({"body": form.cleaned_data["body"]} | ({} if seq is None else {"reply": seq}))


def talk(
    request: HttpRequest, person: Person, topic: RoomTopic, form: Form, status: int = HTTPStatus.OK
) -> HttpResponse:
    """The room's page. `seq` is the number up to which the log is known to it, from where the socket goes on."""
    epoch, seq = topic.position()
    shown = conversation.part(topic, Asked.by(request.GET), seq)
    answered = number(form["reply"].value())
    context = {
        "room": topic.room,
        "epoch": epoch,
        "seq": seq,
        "limit": MAX_BODY,
        "shown": shown,
        "looking": SearchForm(),
        "listing": listing(person, BESIDE, here=topic.room),
        "messages": conversation.items(shown.messages, person),
        "answered": quotes(topic, [answered]).get(answered or 0),
    }
    return show(request, person, "rooms/room.html", form, status, **context)


@page
def read(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    """Without JavaScript nobody knows what somebody has seen: she says so."""
    seq = number(request.POST.get("seq"))
    if seq:
        try:
            Lobby.read(RoomTopic(room=name), person, seq)
        except DataError:
            return errors.not_found(request)
    return remembered(SeeOther(resolve_url("lobby")), person)


@page
def change(request: HttpRequest, person: Person, name: str, seq: int) -> HttpResponse:
    """Other words for what one has said oneself, or none."""
    topic, back = RoomTopic(room=name), f"{resolve_url('room', name)}?at={seq}#m{seq}"
    try:
        event = topic.own(seq, person)
        form = ChangeForm(request.POST or None, initial={"body": body_of(event.data)})
        if request.method == "POST" and rates.post(person):
            form.add_error("body", HASTE)
            return show(request, person, "rooms/change.html", form, HTTPStatus.TOO_MANY_REQUESTS, back=back)
        if "remove" in request.POST:
            topic.remove(seq, person)
        elif form.is_valid():
            topic.edit(seq, form.cleaned_data["body"], person)
        else:
            return show(request, person, "rooms/change.html", form, back=back)
    except DataError:
        return errors.not_found(request)
    except Refused as refusal:
        answers = {"forbidden": HTTPStatus.FORBIDDEN, "unavailable": HTTPStatus.SERVICE_UNAVAILABLE}
        status = answers.get(refusal.code, HTTPStatus.NOT_FOUND)
        return render(request, "rooms/unchanged.html", {"why": refusal, "back": back, "person": person}, status=status)
    return remembered(SeeOther(back), person)


@page
def search(request: HttpRequest, person: Person, name: str | None = None) -> HttpResponse:
    """Messages by their words: in a room, or in all rooms."""
    form = SearchForm(request.GET if "q" in request.GET else None)
    context: dict[str, Any] = {"room": name}
    if not form.is_valid():
        return show(request, person, "rooms/search.html", form, **context)
    if early := rates.search(person):
        form.add_error("q", SEARCHES)
        answer = show(request, person, "rooms/search.html", form, HTTPStatus.TOO_MANY_REQUESTS, **context)
        answer["Retry-After"] = str(ceil(early))
        return answer
    topic = RoomTopic(room=name) if name else None
    try:
        context["found"] = results(form.cleaned_data["q"], topic, person, number(request.GET.get("before")))
    except Refused as refusal:
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

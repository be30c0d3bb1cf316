"""The room's page, and what is said and changed by its forms; the browser client does both by the socket."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DatabaseError, DataError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url

from files import taking
from files.errors import NotTaken
from files.models import File
from rooms import belonging, conversation, errors
from rooms.conversation import Asked, number
from rooms.forms import AWAY, CLASH, HASTE, HASTE_IN_REACTING, OTHER, UNSTORABLE, ChangeForm, MessageForm, SearchForm
from rooms.frames import MAX_BODY
from rooms.listing import BESIDE, listing
from rooms.moderation import force, hiding, slowly
from rooms.moderation.views import barred, standing, status_of
from rooms.pages import SeeOther, remembered, room_page, show
from rooms.quotes import quote, quotes
from rooms.reactions import EMOJI, Reader, signs_of
from rooms.saying import body_of
from rooms.topics import Lobby, RoomTopic
from topics import BadData, Busy, Conflict, Person, Refused, as_of, rates


@room_page
def room(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    try:
        return talk_or_answer(request, person, RoomTopic(room=name))
    except DataError:  # the database cannot hold such a name
        return errors.not_found(request)
    except Refused as why:
        return barred(request, person, why)


def talk_or_answer(request: HttpRequest, person: Person, topic: RoomTopic) -> HttpResponse:
    if request.method != "POST":
        return talk(request, person, topic, MessageForm.blank(person, request.GET.get("reply", "")))
    form, sent = MessageForm(request.POST), request.FILES.getlist("files")
    form.fields["body"].required = not sent
    if not form.is_valid():
        return talk(request, person, topic, form)
    if not form.is_from(person):
        form.refuse(OTHER.format(name=person.name), fresh_for=person)
        return talk(request, person, topic, form, HTTPStatus.CONFLICT)
    if rates.post(person):
        form.refuse(HASTE)
        return talk(request, person, topic, form, HTTPStatus.TOO_MANY_REQUESTS)
    try:
        slowly.admit(topic.room, person)
        said = topic.append(said_by(topic, form, person, sent), id=form.cleaned_data["id"], by=person)
        Lobby.read(topic, person, said.seq)
    except NotTaken as refusal:
        form.refuse(str(refusal))
        return talk(request, person, topic, form, refusal.status)
    except Refused as refusal:
        form.refuse(str(refusal))
        return talk(request, person, topic, form, status_of(refusal))
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


def said_by(topic: RoomTopic, form: Form, person: Person, sent: list[Any]) -> dict[str, Any]:
    """The data of what the form says. Raises Refused, NotTaken."""
    seq = number(form.cleaned_data["reply"])
    said = {"body": form.cleaned_data["body"]} | ({} if seq is None else {"reply": seq})
    if not sent:
        return topic.said(said, person)
    there = topic.event(form.cleaned_data["id"])
    if there is not None and there.by is not None and there.by.key == person.key:  # the same form, sent twice
        return there.data  # type: ignore[no-any-return]
    return topic.said(said | {"files": [taken(topic, person, file).pk for file in sent]}, person)


def taken(topic: RoomTopic, person: Person, file: Any) -> File:
    return taking.take(topic.name, person, file.name, file.content_type or "", file, file.size)


def talk(
    request: HttpRequest, person: Person, topic: RoomTopic, form: Form, status: int = HTTPStatus.OK
) -> HttpResponse:
    """The room's page. `seq` is the number up to which the log is known to it, from where the socket goes on."""
    epoch, seq = topic.position()
    if not seq and request.method == "GET" and (called := force.called_now(topic.room)):
        return remembered(redirect("room", called), person)
    hidden = hiding.hidden(request, person)
    shown = as_of(topic.name, epoch, seq, lambda: conversation.part(topic, Asked.by(request.GET), seq))
    answered = number(form["reply"].value())
    context = {
        "room": topic.room,
        "title": belonging.title_of(topic.room, person),
        "epoch": epoch,
        "seq": seq,
        "limit": MAX_BODY,
        "shown": shown,
        "looking": SearchForm(),
        "emoji": EMOJI,
        "files": settings.FILES_PER_MESSAGE if taking.is_on() else 0,
        "bytes": settings.FILES_MAX_BYTES,
        "listing": listing(person, BESIDE, here=topic.room),
        "messages": conversation.items(shown.messages, person, hidden),
        "hidden": ".".join(hidden),
        **standing(topic.room, person),
        "answered": quotes(topic, [answered]).get(answered or 0),
    }
    return show(request, person, "rooms/room.html", form, status, **context)


@room_page
def change(request: HttpRequest, person: Person, name: str, seq: int) -> HttpResponse:
    """Other words for what one has said oneself, or none."""
    topic, back = RoomTopic(room=name), f"{resolve_url('room', name)}?at={seq}#m{seq}"
    try:
        force.check(name, person, force.WRITE)
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
        return unchanged(request, person, refusal, back)
    return remembered(SeeOther(back), person)


@room_page
def react(request: HttpRequest, person: Person, name: str, seq: int) -> HttpResponse:
    """A sign put on a message, or taken back: the buttons beneath it, and without JavaScript a page of them."""
    topic, back = RoomTopic(room=name), f"{resolve_url('room', name)}?at={seq}#m{seq}"
    try:
        if request.method == "POST":
            if rates.post(person):
                raise Refused(HASTE_IN_REACTING, code="rate_limited")
            force.check(name, person, force.WRITE)
            topic.react(seq, request.POST.get("emoji"), None, person)
            return remembered(SeeOther(back), person)
        event = topic.there(seq)
    except DataError:
        return errors.not_found(request)
    except Refused as refusal:
        return unchanged(request, person, refusal, back)
    put = [sign.emoji for sign in signs_of(event.data) if sign.has(Reader.of(person))]
    context = {"emoji": EMOJI, "put": put, "quote": quote(event), "back": back, "person": person}
    return remembered(render(request, "rooms/react.html", context), person)


def unchanged(request: HttpRequest, person: Person, refusal: Refused, back: str) -> HttpResponse:
    status = HTTPStatus.NOT_FOUND if refusal.code == "bad_frame" else status_of(refusal)
    return render(request, "rooms/unchanged.html", {"why": refusal, "back": back, "person": person}, status=status)

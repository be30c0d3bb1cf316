"""What can be done about a message, by everybody and by those who keep order: a page, without JavaScript.

The room's page shows it in a dialog: it asks for a `part`, which is the inner side of the page alone.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import DataError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _

from rooms import errors
from rooms.moderation import force, hiding, reports, verbs
from rooms.moderation.forms import BanForm, MuteForm, ReasonForm, ReportForm
from rooms.moderation.views import barred, carried_out
from rooms.pages import SeeOther, remembered, room_page
from rooms.roles import moderates
from topics import Event, Person, Refused


class About:
    """What somebody does about a message: each method is one of the buttons, and returns what she is told."""

    def __init__(self, request: HttpRequest, person: Person, name: str, event: Event) -> None:
        self.request, self.person, self.name, self.event = request, person, name, event
        self.hidden: frozenset[str] | None = None

    def report(self, form: Any) -> str:
        reports.report(self.name, self.event.seq, self.person, form.cleaned_data["reason"])
        return _("Thank you. Whoever keeps order here will look at it.")

    def hide(self, form: Any) -> str:
        self.hidden = hiding.hide(self.request, self.person, self._author, yes=True)
        return _("You do not see what this person says any more. Nobody else notices.")

    def show(self, form: Any) -> str:
        self.hidden = hiding.hide(self.request, self.person, self._author, yes=False)
        return _("You see what this person says again.")

    def remove(self, form: Any) -> str:
        verbs.remove(self.name, self.event.seq, self.person, form.cleaned_data["reason"])
        return _("The message is removed.")

    def mute(self, form: Any) -> str:
        whom = verbs.author(self.name, self.event.seq)
        verbs.mute(self.name, whom, self.person, form.time, form.cleaned_data["reason"])
        return _("This person is muted here.")

    def ban(self, form: Any) -> str:
        whom = verbs.author(self.name, self.event.seq)
        verbs.ban(self.name, whom, self.person, form.time, form.cleaned_data["reason"])
        return _("This person is banned from here.")

    @property
    def _author(self) -> str:
        return self.event.by.public_key if self.event.by else ""

    FORMS: Final[Mapping[str, type[Form]]] = {
        "report": ReportForm,
        "hide": Form,
        "show": Form,
        "remove": ReasonForm,
        "mute": MuteForm,
        "ban": BanForm,
    }


@room_page
def about(request: HttpRequest, person: Person, name: str, seq: int) -> HttpResponse:
    try:
        force.check(name, person, force.READ)
        event = verbs.said(name, seq)
    except DataError:
        return errors.not_found(request)
    except Refused as why:
        return barred(request, person, why) if why.code == "banned" else errors.not_found(request)
    doing = About(request, person, name, event)
    forms, told, status = carried_out(request, About.FORMS, doing)
    if told and "part" not in request.GET:
        return answered(SeeOther(f"{resolve_url('room', name)}?at={seq}#m{seq}"), doing)
    hidden = hiding.hidden(request, person) if doing.hidden is None else doing.hidden
    context = {
        "room": name,
        "seq": seq,
        "forms": forms,
        "told": told,
        "event": event,
        "hides": event.by is not None and event.by.public_key in hidden,
        "mine": event.by is not None and event.by.key == person.key,
        "hidden": ".".join(hidden),
        "keeps": moderates(name, person),
        "person": person,
    }
    template = "rooms/moderation/_about.html" if "part" in request.GET else "rooms/moderation/about.html"
    return answered(render(request, template, context, status=status), doing)


def answered(response: HttpResponse, doing: About) -> HttpResponse:
    if doing.hidden is not None:
        hiding.remember(response, doing.person, doing.hidden)
    return remembered(response, doing.person)

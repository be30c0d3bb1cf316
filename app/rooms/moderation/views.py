"""How order is kept in a room: its own page for that, and what all pages say of it. Works without JavaScript."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.db import DataError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _

from rooms import belonging, errors
from rooms.moderation import force, reports, verbs
from rooms.moderation.forms import (
    AboutForm,
    LiftForm,
    ReasonForm,
    RenameForm,
    RestrictForm,
    SlowForm,
)
from rooms.moderation.models import Action, Restriction
from rooms.pages import SeeOther, remembered, room_page
from rooms.roles import moderates
from topics import Person, Refused

ACTIONS: Final = 50  # on a page
STATUS: Final = {
    "forbidden": HTTPStatus.FORBIDDEN,
    "banned": HTTPStatus.FORBIDDEN,
    "no_such_topic": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "muted": HTTPStatus.FORBIDDEN,
    "read_only": HTTPStatus.FORBIDDEN,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_rooms": HTTPStatus.TOO_MANY_REQUESTS,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(why: Refused) -> int:
    return STATUS.get(why.code, HTTPStatus.UNPROCESSABLE_ENTITY)


def barred(request: HttpRequest, person: Person, why: Refused) -> HttpResponse:
    """Who may not read a room is told why, and gets back what she wanted to say there."""
    context = {"why": why, "person": person, "body": request.POST.get("body", "")}
    return remembered(render(request, "rooms/moderation/barred.html", context, status=HTTPStatus.FORBIDDEN), person)


def standing(name: str, person: Person) -> dict[str, Any]:
    """What the room's own page says of all this: to everybody, and to those who keep order. Raises Refused where the
    person may not even read it.
    """
    in_force, keeps = force.check(name, person, force.READ), moderates(name, person)
    why = in_force.refusal(person, force.WRITE)
    return {"force": in_force, "refusal": why, "keeps": keeps, "reported": reports.waiting(name) if keeps else 0}


def carried_out(request: HttpRequest, kinds: Mapping[str, type[Form]], doing: Any) -> tuple[dict[str, Form], str, int]:
    """All forms of a page, what came of the one that was sent, and the status of the answer."""
    sent = request.POST.get("do", "")
    forms = {kind: form(request.POST if kind == sent else None) for kind, form in kinds.items()}
    form = forms.get(sent)
    if request.method != "POST":
        return forms, "", HTTPStatus.OK
    if form is None or not form.is_valid():
        return forms, "", HTTPStatus.UNPROCESSABLE_ENTITY
    do: Callable[[Form], str] = getattr(doing, sent)
    try:
        return forms, do(form), HTTPStatus.OK
    except Refused as why:
        form.add_error(None, str(why))
        return forms, "", status_of(why)


class Keeping:
    """What somebody does in a room: each method is one of the buttons, and returns what she is told."""

    def __init__(self, person: Person, name: str) -> None:
        self.person, self.name = person, name

    def remove(self, form: Any) -> str:
        verbs.remove(self.name, form.cleaned_data["seq"], self.person)
        return _("The message is removed.")

    def dismiss(self, form: Any) -> str:
        verbs.dismiss(self.name, form.cleaned_data["seq"], self.person)
        return _("The report is dismissed.")

    def lift(self, form: Any) -> str:
        verbs.lift(self.name, form.cleaned_data["which"], self.person)
        return _("It is lifted.")

    def restrict(self, form: Any) -> str:
        whom = verbs.called(self.name, form.cleaned_data["who"])
        until = None if form.time is None else timezone.now() + form.time
        verbs.restrict(self.name, whom, self.person, form.cleaned_data["kind"], until, form.cleaned_data["reason"])
        return _("It is done.")

    def close(self, form: Any) -> str:
        verbs.close(self.name, self.person, form.cleaned_data["reason"])
        return _("Nobody may write here any more.")

    def reopen(self, form: Any) -> str:
        verbs.reopen(self.name, self.person)
        return _("People may write here again.")

    def slow(self, form: Any) -> str:
        verbs.slow(self.name, form.cleaned_data["seconds"], self.person)
        return _("Slow mode is set.")

    def rename(self, form: Any) -> str:
        self.name = verbs.rename(self.name, form.cleaned_data["name"], self.person)
        return _("The room has another name.")

    FORMS: Final[Mapping[str, type[Form]]] = {
        "remove": AboutForm,
        "dismiss": AboutForm,
        "lift": LiftForm,
        "restrict": RestrictForm,
        "close": ReasonForm,
        "reopen": Form,
        "slow": SlowForm,
        "rename": RenameForm,
    }


@room_page
def keep(request: HttpRequest, person: Person, name: str) -> HttpResponse:
    """For those who keep order in the room. For everybody else there is no such page."""
    try:
        if not moderates(name, person):
            return errors.not_found(request)
    except DataError:
        return errors.not_found(request)
    doing = Keeping(person, name)
    forms, told, status = carried_out(request, Keeping.FORMS, doing)
    if told:
        return remembered(SeeOther(resolve_url("keep", doing.name)), person)
    before = request.GET.get("before", "")
    actions = Action.objects.filter(room__name=name).select_related("user", "by").order_by("-id")
    if before.isascii() and before.isdigit() and len(before) < 19:
        actions = actions.filter(pk__lt=int(before))
    latest = list(actions[:ACTIONS])
    in_force = force.now(name)
    context = {
        "room": name,
        "person": person,
        "forms": forms,
        "queue": reports.queue(name),
        "force": in_force,
        "restrictions": restrictions(name),
        "title": belonging.title_of(name, person),
        "actions": latest,
        "next": latest[-1].pk if len(latest) == ACTIONS else None,
    }
    return remembered(render(request, "rooms/moderation/keep.html", context, status=status), person)


def restrictions(name: str) -> list[Restriction]:
    rows = Restriction.objects.filter(room__name=name).select_related("user").order_by("-at")
    return list(rows.filter(force.holding())[:ACTIONS])

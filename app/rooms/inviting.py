"""How somebody gets into a room that is not open: by the link of an invitation, and by writing to somebody."""

from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _

from rooms import invitations, making
from rooms.errors import not_found
from rooms.forms import AddForm
from rooms.models import Room
from rooms.pages import SeeOther, page, remembered, show
from rooms.roles import has_account, role_of
from topics import Person, Refused


@page
def join(request: HttpRequest, person: Person, secret: str) -> HttpResponse:
    """GET changes nothing: a chat shows previews of links. Who has no account gets one, and comes back."""
    invitation = invitations.found(secret)
    if invitation is None:
        return not_found(request)
    room = invitation.room
    if role_of(room.name, person) is not None:
        return SeeOther(resolve_url("room", room.name))
    why = ""
    if request.method == "POST" and has_account(person):
        try:
            return SeeOther(resolve_url("room", invitations.accept(secret, request.user)))
        except Refused as refusal:
            why = str(refusal)
    context = {"person": person, "invitation": invitation, "people": room.members.count(), "refused": why}
    context |= {"sign_up": settings.SIGN_UP, "has_account": has_account(person)}
    status = HTTPStatus.CONFLICT if why else HTTPStatus.OK
    return remembered(render(request, "rooms/join.html", context, status=status), person)


@page
def direct(request: HttpRequest, person: Person) -> HttpResponse:
    """Whom to write to; the room of the two, where there is one."""
    if not has_account(person):
        return redirect_to_login(request.get_full_path())
    given = request.POST if request.method == "POST" else request.GET
    form = AddForm(given if "name" in given else None)
    if not form.is_valid():
        return show(request, person, "rooms/direct.html", form)
    if form.user.pk == person.user_id:
        form.add_error("name", _("That is you."))
        return show(request, person, "rooms/direct.html", form)
    name = making.direct_name(person.user_id, form.user.pk)
    if request.method == "POST":
        try:
            making.make_direct(person, form.user)
        except Refused as refusal:
            form.add_error("name", str(refusal))
            return show(request, person, "rooms/direct.html", form, HTTPStatus.TOO_MANY_REQUESTS)
    elif not Room.objects.filter(name=name).exists():
        return show(request, person, "rooms/direct.html", form)
    return SeeOther(resolve_url("room", name))

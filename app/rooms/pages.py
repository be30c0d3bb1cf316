"""What all pages have in common: for whom, from no cache, and with the cookie that keeps a guest the same person."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rooms.converters import is_opaque
from rooms.errors import not_found
from rooms.roles import role_of
from topics import Person, person_of
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


def room_page(view: View) -> View:
    """A page of a room, `view(request, person, name, ...)`: not found for who may not come in, as where there is none.

    None at all is asked about where no name is given.
    """

    @page
    @wraps(view)
    def wrapper(
        request: HttpRequest, person: Person, name: str | None = None, *args: Any, **named: Any
    ) -> HttpResponse:
        if name is not None and is_opaque(name) and role_of(name, person) is None:
            return not_found(request)
        return view(request, person, name, *args, **named)

    return wrapper


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

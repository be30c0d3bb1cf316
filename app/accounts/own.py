"""One's own page: who one is here, where one is logged in, and what one can end."""

from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import leaving, sessions
from accounts.forms import Asked, EmailForm
from accounts.views import page

ENDED: Final = _("Logged out there.")
ENDED_ALL: Final = _("Logged out everywhere else.")
GONE: Final = _("That session was over already.")
KEPT: Final = _("The address is kept.")


@login_required
@never_cache
@require_http_methods(["HEAD", "GET"])
def account(request: HttpRequest) -> HttpResponse:
    return page(request, "accounts/account.html", {"sessions": sessions.own(request), "address": address_of(request)})


def address_of(request: HttpRequest) -> str:
    user: Any = request.user
    return str(getattr(user, user.get_email_field_name(), ""))


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Somebody else's is not found, as one that is over."""
    messages.info(request, ENDED if sessions.end(request.user, pk) else GONE)
    return redirect("account")


@login_required
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponseBase:
    sessions.end_others(request)
    messages.info(request, ENDED_ALL)
    return redirect("account")


@sensitive_post_parameters("password")
@login_required
@never_cache
@require_http_methods(["HEAD", "GET", "POST"])
def email(request: HttpRequest) -> HttpResponseBase:
    """By the password: who has only the session could have a link for another one sent to herself."""
    user: Any = request.user
    form = EmailForm(request, request.POST or None, initial={"email": address_of(request)})
    if request.method != "POST" or not form.is_valid():
        return page(request, "accounts/email.html", {"form": form})
    setattr(user, user.get_email_field_name(), form.cleaned_data["email"])
    user.save(update_fields=[user.get_email_field_name()])
    messages.info(request, KEPT)
    return redirect("account")


@sensitive_post_parameters("password")
@login_required
@never_cache
@require_http_methods(["HEAD", "GET", "POST"])
def delete(request: HttpRequest) -> HttpResponseBase:
    form = Asked(request, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "accounts/delete.html", {"form": form})
    user: Any = request.user
    try:
        leaving.leave(user)
    except leaving.NotYet as refusal:
        form.add_error(None, str(refusal))
        return page(request, "accounts/delete.html", {"form": form}, HTTPStatus.CONFLICT)
    logout(request)
    return page(request, "accounts/deleted.html", {})

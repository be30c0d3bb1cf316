"""The pages by which somebody gets an account, comes in, and chooses another password. Django's views, for most."""

from http import HTTPStatus
from typing import Any, Final

from axes.utils import reset as forget_failures
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, views
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import letters, shares
from accounts.forms import PasswordForm, SignUpForm
from accounts.logins import refused
from topics import person_of
from topics.people import address_of

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"  # axes' own lets nobody in
CHANGED: Final = gettext_lazy("Your password is changed.")
RESETS_PER_ACCOUNT: Final = 5  # letters to one address within an hour


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = HTTPStatus.OK) -> HttpResponse:
    if getattr(context.get("form"), "errors", None) and status == HTTPStatus.OK:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    person = person_of(request) if request.user.is_authenticated else None  # a guest's name does not matter here
    return render(request, template, context | {"person": person}, status=status)


@method_decorator(never_cache, name="dispatch")
class LogIn(views.LoginView):
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get(self, *args: Any, **named: Any) -> Any:
        letters.go_on()
        return super().get(*args, **named)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | {"sign_up": settings.SIGN_UP}


@sensitive_post_parameters("password1", "password2")
@never_cache
@require_http_methods(["HEAD", "GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    back = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    back = back if ours else resolve_url("lobby")
    if request.user.is_authenticated:
        return redirect(back)
    if not settings.SIGN_UP:
        return page(request, "accounts/closed.html", {}, HTTPStatus.FORBIDDEN)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not shares.take({"sign_ups": (address_of(request), settings.SIGN_UPS_PER_ADDRESS)}):
            why = _("Many accounts have been made from your address.")
            return refused(request, 3600, why, _("an hour"), _("Nothing has been made."))
        try:
            user = form.save()
        except ValidationError as error:
            form.add_error("username", error)
        else:
            login(request, user, BACKEND)
            return redirect(back)
    return page(request, "accounts/sign_up.html", {"form": form, "next": back})


@method_decorator(never_cache, name="dispatch")
class Password(views.PasswordChangeView):
    """This session stays, under another key. The others are valid no more, and their sockets end within a second."""

    template_name = "accounts/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("account")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.info(self.request, CHANGED)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=HTTPStatus.UNPROCESSABLE_ENTITY)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | {"person": person_of(self.request)}


@method_decorator(never_cache, name="dispatch")
class Reset(views.PasswordResetView):
    """Says the same whatever address it is given."""

    template_name = "accounts/reset.html"
    success_url = reverse_lazy("reset-sent")

    def form_valid(self, form: Any) -> HttpResponse:
        address = form.cleaned_data["email"]
        wanted = {
            "resets_per_account": (address.casefold(), RESETS_PER_ACCOUNT),
            "resets_per_address": (address_of(self.request), settings.RESETS_PER_ADDRESS),
        }
        if not shares.take(wanted):
            why = _("That has been asked for too often.")
            return refused(self.request, 3600, why, _("an hour"), _("No further e-mail is sent."))
        try:
            letters.ask(self.request, address)
        except letters.NoAddress:
            return render(self.request, "accounts/nameless.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return redirect(self.success_url)


@never_cache
def reset_sent(request: HttpRequest) -> HttpResponse:
    letters.go_on()
    context = {"late": letters.are_late(), "hours": settings.PASSWORD_RESET_TIMEOUT // 3600}
    return render(request, "accounts/reset_sent.html", context)


@method_decorator(never_cache, name="dispatch")
class NewPassword(views.PasswordResetConfirmView):
    """By a link, which works once: no session is valid any more, and who has been locked out may try again."""

    template_name = "accounts/new_password.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        user: Any = self.user
        forget_failures(username=user.get_username())
        messages.info(self.request, CHANGED)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=HTTPStatus.UNPROCESSABLE_ENTITY)

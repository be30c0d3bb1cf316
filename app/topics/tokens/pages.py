"""/accounts/tokens/: somebody's own tokens, to be made and revoked. Plain pages, for who is logged in."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from topics.models import MAX_TOKEN_NAME, Token
from topics.people import person_of
from topics.tokens.tokens import MOST_PATTERNS, TooManyTokens, issue
from topics.wording import MAX_NAME

DAYS = {
    "30": gettext_lazy("30 days"),
    "90": gettext_lazy("90 days"),
    "365": gettext_lazy("a year"),
    "": gettext_lazy("for ever"),
}


class TokenForm(forms.Form):
    name = forms.CharField(max_length=MAX_TOKEN_NAME)
    topics = forms.CharField(initial="*", max_length=MOST_PATTERNS * (MAX_NAME + 2), widget=forms.Textarea)
    acts = forms.MultipleChoiceField(
        choices=[("read", gettext_lazy("read")), ("write", gettext_lazy("write"))],
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(choices=list(DAYS.items()), initial="90", required=False)

    def clean_topics(self) -> list[str]:
        patterns = [line.strip() for line in self.cleaned_data["topics"].splitlines() if line.strip()]
        if len(patterns) > MOST_PATTERNS:
            raise ValidationError(_("A token has at most {most} patterns of topics.").format(most=MOST_PATTERNS))
        if any(len(pattern) > MAX_NAME or not pattern.isprintable() for pattern in patterns):
            raise ValidationError(_("A pattern has at most {most} visible characters.").format(most=MAX_NAME))
        return patterns


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret")
def tokens(request: HttpRequest) -> HttpResponseBase:
    """The answer to the form is the only page that ever shows the secret."""
    form, secret = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            _, secret = made(request.user, form.cleaned_data)
            form = TokenForm()
        except TooManyTokens as refused:
            form.add_error(None, str(refused))
    page = {"form": form, "secret": secret, "person": person_of(request), "tokens": own(request.user)}
    return render(request, "topics/tokens.html", page, status=400 if form.errors else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Its sockets are closed within a second. Somebody else's token is not found."""
    get_object_or_404(own(request.user), pk=pk).delete()
    return redirect("tokens")


def own(user: Any) -> Any:
    return Token.objects.filter(user=user).order_by("-pk")


def made(user: Any, wanted: dict[str, Any]) -> tuple[Token, str]:
    days = wanted["days"]
    return issue(
        user,
        wanted["name"],
        topics=wanted["topics"],
        read="read" in wanted["acts"],
        write="write" in wanted["acts"],
        expires_at=timezone.now() + timedelta(days=int(days)) if days else None,
    )

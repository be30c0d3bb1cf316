"""What people type about their accounts. Django's own forms, with what this site asks beyond them."""

import unicodedata
from typing import Any, Final

from django import forms
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.forms import BaseUserCreationForm, PasswordChangeForm
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.models import MAX_ADDRESS
from rooms import likeness
from topics.names import is_person_name
from topics.people import MAX_GUEST_NAME

TAKEN: Final = _("Somebody here is called that, or something that looks like it. Choose another name.")
VISIBLE: Final = _("A name consists of visible characters.")
LENGTH: Final = format_lazy(_("A name has 1 to {most} characters."), most=MAX_GUEST_NAME)
WRONG: Final = _("This is not your password.")


class Asked(forms.Form):
    """A form that one's password is typed into once more. Wrong ones count as those at the log-in do."""

    password = forms.CharField(
        label=_("Your password"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )

    def __init__(self, request: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request = request

    def clean_password(self) -> str:
        return checked_password(self.request, self.cleaned_data["password"])


@sensitive_variables("password")
def checked_password(request: Any, password: str) -> str:
    """Raises PermissionDenied after too many wrong ones, which becomes the answer that the log-in gives."""
    found = authenticate(request, username=request.user.get_username(), password=password)
    if found is None or found.pk != request.user.pk:
        raise ValidationError(WRONG, code="password_incorrect")
    return password


class SignUpForm(BaseUserCreationForm):  # type: ignore[type-arg]
    email = forms.EmailField(
        label=_("E-mail address (optional)"),
        required=False,
        max_length=MAX_ADDRESS,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    class Meta(BaseUserCreationForm.Meta):
        model = get_user_model()
        fields = (get_user_model().USERNAME_FIELD, "email")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name = self.fields[self._meta.model.USERNAME_FIELD]
        name.help_text = ""
        name.error_messages["required"] = LENGTH
        name.widget.attrs.pop("maxlength", None)  # by which a browser cuts pasted text without a word
        name.widget.attrs |= {"autocomplete": "username", "dir": "auto"}

    def clean_username(self) -> str:
        name = unicodedata.normalize("NFC", self.cleaned_data["username"])
        if not 0 < len(name) <= MAX_GUEST_NAME:
            raise ValidationError(LENGTH)
        if not is_person_name(name):
            raise ValidationError(VISIBLE)
        if likeness.is_taken(name) or likeness.is_reserved(name):
            raise ValidationError(TAKEN)
        return name

    def save(self, commit: bool = True) -> Any:
        """Raises ValidationError where somebody else has just got a name like it."""
        user = super().save(commit=False)  # whose password takes a while
        with transaction.atomic():
            one_after_the_other()
            if likeness.is_taken(user.get_username()):
                raise ValidationError(TAKEN)
            user.save()
        return user


def one_after_the_other() -> None:
    """Until COMMIT: a name is compared with those of all accounts, and no constraint could do that."""
    users = get_user_model()._meta
    list(ContentType.objects.select_for_update(no_key=True).filter(app_label=users.app_label, model=users.model_name))


class PasswordForm(PasswordChangeForm):
    """A new password, by the old one."""

    def __init__(self, request: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request = request
        self.fields["old_password"].label = _("Your password so far")

    def clean_old_password(self) -> str:
        return checked_password(self.request, self.cleaned_data["old_password"])


class EmailForm(Asked):
    """Where a link for a new password is sent to; nowhere where it is empty."""

    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=MAX_ADDRESS,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

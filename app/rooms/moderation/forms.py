"""What whoever keeps order, or complains, types and chooses."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from rooms.forms import TypedField
from rooms.moderation.models import MAX_REASON, Restriction
from rooms.moderation.slowly import LONGEST

MUTES: Final = [("10", _("10 minutes")), ("60", _("an hour")), ("1440", _("a day"))]  # minutes
BANS: Final = [("60", _("an hour")), ("1440", _("a day")), ("10080", _("a week")), ("", _("until it is lifted"))]
SLOW: Final = [(0, _("off")), (10, "10 s"), (30, "30 s"), (60, "1 min"), (300, "5 min"), (LONGEST, "1 h")]


def reason(**options: Any) -> TypedField:
    said = {"required": _("Say why."), "max_length": _("A reason has %(limit_value)s characters at most.")}
    return TypedField(max_length=MAX_REASON, error_messages=said, **options)


class ReasonForm(forms.Form):
    reason = reason(required=False)


class ReportForm(forms.Form):
    reason = reason()


class MuteForm(ReasonForm):
    minutes = forms.ChoiceField(choices=MUTES)

    @property
    def time(self) -> timedelta:
        return timedelta(minutes=int(self.cleaned_data["minutes"]))


class BanForm(ReasonForm):
    minutes = forms.ChoiceField(choices=BANS, required=False)

    @property
    def time(self) -> timedelta | None:
        return timedelta(minutes=int(self.cleaned_data["minutes"])) if self.cleaned_data["minutes"] else None


class RestrictForm(BanForm):
    """Somebody who has said nothing: an account, or a guest who is here."""

    who = TypedField(max_length=150, error_messages={"required": _("Type a name.")})
    kind = forms.ChoiceField(choices=Restriction.Kind)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == Restriction.Kind.MUTE and not cleaned.get("minutes"):
            self.add_error("minutes", _("Say for how long."))
        return cleaned


class SlowForm(forms.Form):
    seconds = forms.TypedChoiceField(choices=SLOW, coerce=int)


class RenameForm(forms.Form):
    name = TypedField(max_length=64, error_messages={"required": _("Type a name.")})


class LiftForm(forms.Form):
    which = forms.IntegerField(min_value=1)


class AboutForm(forms.Form):
    """One of the messages in the queue."""

    seq = forms.IntegerField(min_value=1, max_value=2**63 - 1)

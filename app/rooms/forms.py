"""What people type into the pages' forms, made clean, or refused with a sentence that stands beside the field."""

import unicodedata
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import get_user_model
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from rooms import likeness
from rooms.converters import InvalidRoomName, checked_name, is_opaque
from rooms.frames import MAX_BODY
from rooms.models import MAX_TITLE
from rooms.roles import has_account
from topics.names import is_person_name
from topics.people import MAX_GUEST_NAME, Person, rename_guest
from topics.wording import MAX_ID, chosen_id

CLASH = _("This form has already sent another text. Send it again to post this one as well.")
HASTE = _("That was too fast. The message is still here: send it again in a moment.")
HASTE_IN_REACTING = _("That was too fast: try again in a moment.")
OTHER = _("You are {name} here now. Send it again to say it under this name.")
TOO_MANY_NAMES = _("You have had many names: keep this one for a moment.")
TAKEN = _(
    "Somebody with an account here is called that, or something that looks like it. Choose another name, or log in."
)
RESERVED = _("This site itself is called that, or says it of people. Choose another name.")
TITLE = format_lazy(_("A room is called by 1 to {most} visible characters."), most=MAX_TITLE)
NOBODY = _("Nobody here has an account of this name.")
UNSTORABLE = _("This text cannot be stored here.")
SEARCHES = _("You have searched very often: wait a moment.")
SEARCH_AWAY = _("Nothing can be searched just now: try again in a moment.")
AWAY = _("The message could not be stored just now. It is still here: send it again in a moment.")


class TypedField(forms.CharField):
    """Text from a person.

    A browser sends a line's end as two characters and counts an emoji as two: here both are one, as in the
    protocol. The field has no `maxlength`, with which a browser cuts pasted text without a word.
    """

    def to_python(self, value: Any) -> str:
        return str(super().to_python(str(value or "").replace("\r\n", "\n")))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


class RoomForm(forms.Form):
    """`closed`: a new room for its members, which has a title instead of a name. Accounts only have members."""

    closed = forms.BooleanField(required=False)
    name = TypedField(
        error_messages={"required": _("Type the name of a room.")},
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "dir": "auto"}),
    )

    def __init__(self, person: Person, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person

    def clean_closed(self) -> bool:
        return bool(self.cleaned_data["closed"]) and has_account(self.person)

    def clean_name(self) -> str:
        typed = self.cleaned_data["name"]
        return checked_title(typed) if self.cleaned_data.get("closed") else checked_name_of(typed)


def checked_title(typed: str) -> str:
    """What people call a closed room: anything to see, with single spaces."""
    title = unicodedata.normalize("NFC", " ".join(typed.split()))
    if not (len(title) <= MAX_TITLE and is_person_name(title)):
        raise forms.ValidationError(TITLE)
    return title


def checked_name_of(typed: str) -> str:
    """A room's name in which spaces have become hyphens, as an address wants them."""
    try:
        name = checked_name("-".join(typed.split()))
    except ValueError as refusal:
        raise forms.ValidationError(str(refusal)) from None
    if is_opaque(name):
        raise forms.ValidationError(str(InvalidRoomName()))
    return name


class SearchForm(forms.Form):
    """Words that were said. What is no text to search for is told by who searches."""

    q = TypedField(
        error_messages={"required": _("Type a word to search for.")},
        widget=forms.TextInput({"type": "search", "dir": "auto", "autocomplete": "off", "enterkeyhint": "search"}),
    )


class NameForm(forms.Form):
    name = TypedField(
        error_messages={"required": format_lazy(_("A name has 1 to {most} characters."), most=MAX_GUEST_NAME)},
        widget=forms.TextInput({"autocomplete": "nickname", "dir": "auto"}),
    )

    def __init__(self, person: Person, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person

    def clean_name(self) -> str:
        try:
            person = rename_guest(self.person, self.cleaned_data["name"])
        except ValueError as refusal:
            raise forms.ValidationError(str(refusal)) from None
        if likeness.is_taken(person.name):
            raise forms.ValidationError(TAKEN)
        if likeness.is_reserved(person.name):
            raise forms.ValidationError(RESERVED)
        self.person = person
        return person.name


class BodyField(TypedField):
    """What is said."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(
            max_length=MAX_BODY,
            error_messages={
                "required": _("Write something first."),
                "max_length": _("That is %(show_value)s characters. A message has at most %(limit_value)s."),
            },
            widget=forms.Textarea({"dir": "auto"} | attributes),
        )


class ChangeForm(forms.Form):
    """Other words for what was said."""

    body = BodyField(rows=4)


class MessageForm(forms.Form):
    """A message. `id` is chosen when the page is made, so that the same form sent twice is one message.

    `sender` is whom the page was made for: whoever has logged in since does not say what somebody else has written.
    `reply` is the number of the message that it answers. The page has it where that message is there.
    """

    use_required_attribute = False  # where there are files there need be no words

    body = BodyField(
        rows=1,
        placeholder=_("Write a message"),
        enterkeyhint="send",
        **{"aria-autocomplete": "list", "aria-controls": "mentions"},
    )
    id = forms.CharField(
        required=False, max_length=MAX_ID, strip=False, widget=forms.HiddenInput({"autocomplete": "off"})
    )

    sender = forms.CharField(required=False, widget=forms.HiddenInput({"autocomplete": "off"}))
    reply = forms.CharField(required=False, widget=forms.HiddenInput({"autocomplete": "off"}))

    @classmethod
    def blank(cls, person: Person, reply: str = "") -> "MessageForm":
        return cls(initial={"id": chosen_id(), "sender": person.public_key, "reply": reply})

    def is_from(self, person: Person) -> bool:
        return self.cleaned_data["sender"] in {"", person.public_key}

    def clean_id(self) -> str:
        return self.cleaned_data["id"] or chosen_id()

    def refuse(self, sentence: Any, *, fresh_for: Person | None = None) -> None:
        """Keeps what was typed; where `fresh_for` is given the next attempt is another message, and that person's."""
        if fresh_for:
            kept = {name: self.data.get(name, "") for name in ("body", "reply")}
            self.data = kept | {"id": chosen_id(), "sender": fresh_for.public_key}
        self.add_error(None, sentence)


class AddForm(forms.Form):
    """Somebody by her account's name, whom `user` is after that."""

    user: Any
    name = TypedField(
        error_messages={"required": _("Type somebody's name.")},
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "dir": "auto"}),
    )

    def clean_name(self) -> str:
        name = unicodedata.normalize("NFC", self.cleaned_data["name"].strip())
        users, called = get_user_model(), get_user_model().USERNAME_FIELD
        found = users._default_manager.filter(**{called: name}, is_active=True).first() if name.isprintable() else None
        if found is None:
            raise forms.ValidationError(NOBODY)
        self.user = found
        return name


class InviteForm(forms.Form):
    """How long a link is valid, and how many people may come by it."""

    LASTS: ClassVar = {"day": timedelta(days=1), "week": timedelta(days=7), "": None}

    lasts = forms.ChoiceField(
        choices=[("week", _("for a week")), ("day", _("for a day")), ("", _("until it is revoked"))],
        initial="week",
        required=False,
    )
    uses = forms.IntegerField(required=False, min_value=1, max_value=1_000)

    @property
    def lasting(self) -> timedelta | None:
        return self.LASTS[self.cleaned_data["lasts"]]

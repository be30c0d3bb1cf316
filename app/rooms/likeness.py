"""Which names look alike, and that no guest is called what an account is called, or what looks like it.

Names are compared by what is left of them when everything is gone by which a reader does not tell them apart: case,
compatibility forms, accents, spaces, signs and pictures beside letters, and characters that Unicode's list of
confusables takes for the same, such as the Latin a and the Cyrillic one.
"""

import unicodedata
from functools import lru_cache
from typing import Any, Final

import regex
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models.signals import post_migrate, post_save
from django.utils import translation
from django.utils.translation import gettext_noop as _

from rooms.models import MAX_LIKENESS, AccountName
from topics.people import FORMER

ACCENTS: Final = regex.compile(r"[[\p{M}]&&[\p{Script=Inherited}\p{Script=Common}]]", regex.V1)
SIGNS: Final = regex.compile(r"[^\p{L}\p{N}\p{M}]", regex.V1)
AT_ONCE: Final = 1_000  # accounts

# What the site itself says in the place of a name, or of what somebody said, and who speaks for it.
RESERVED: Final = (
    *(FORMER, _("removed"), _("message removed"), _("deleted"), _("nobody"), _("guest"), _("anonymous"), _("you")),
    *(_("rooms"), _("admin"), _("administrator"), _("root"), _("staff"), _("moderator"), _("owner"), _("system")),
    *(_("support"), _("everyone"), _("all"), "here"),
)


def is_taken(name: str) -> bool:
    """Whether an account is called that, or looks as if it were."""
    users, called = get_user_model()._default_manager, {get_user_model().USERNAME_FIELD: name}
    return users.filter(looks__likeness=likeness(name)).exists() or users.filter(**called).exists()


@lru_cache(maxsize=1)
def reserved() -> frozenset[str]:
    """In every language of the site."""
    said: set[str] = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said |= {*RESERVED, *map(translation.gettext, RESERVED)}
    return frozenset(map(likeness, said))


def is_reserved(name: str) -> bool:
    """Whether nobody can take that name, or one that looks like it, by herself."""
    return likeness(name) in reserved()


def likeness(name: str) -> str:
    """The same text for names that look alike."""
    plain = fold(fold(name))  # what is folded may be confused with something else
    return (SIGNS.sub("", plain) or plain)[:MAX_LIKENESS]


def fold(name: str) -> str:
    shown = "".join(prototypes().get(character, character) for character in unicodedata.normalize("NFKC", name))
    folded = unicodedata.normalize("NFKD", shown).casefold()
    plain: str = ACCENTS.sub("", folded)
    return plain.replace("i", "l")  # a capital I is drawn as a small l


@lru_cache(maxsize=1)
def prototypes() -> dict[str, str]:
    """What each confusable character is taken for. The library's list is read when the first name is looked at.

    It names both ways: a character that may be taken for one other, and one with all that may be taken for it.
    """
    from confusable_homoglyphs.confusables import confusables_data

    alone = {character: found[0]["c"] for character, found in confusables_data.items() if len(found) == 1}
    return {
        character: other
        for character, other in alone.items()
        if len(character) == 1 and (alone.get(other) != character or other < character)
    }


# --- What accounts are called --------------------------------------------------------------------------


def note(instance: Any, raw: bool = False, update_fields: Any = None, **_: Any) -> None:
    """An account has been made, or has another name."""
    if not raw and (update_fields is None or instance.USERNAME_FIELD in update_fields):
        found = likeness(instance.get_username())
        AccountName.objects.update_or_create(user_id=instance.pk, defaults={"likeness": found})


def note_all(using: str, apps: Any = apps, **_: Any) -> None:
    """After each `migrate`: accounts that were made by the version before, or in bulk.

    Where that has gone no further than to an earlier migration there is no table yet.
    """
    if "accountname" not in apps.all_models["rooms"]:
        return
    unnoted = get_user_model()._default_manager.using(using).filter(looks=None).order_by("pk")
    while users := list(unnoted[:AT_ONCE]):
        names = [AccountName(user=user, likeness=likeness(user.get_username())) for user in users]
        AccountName.objects.using(using).bulk_create(names, ignore_conflicts=True)


def begin(app: Any) -> None:
    post_save.connect(note, sender=get_user_model(), dispatch_uid="rooms.likeness")
    post_migrate.connect(note_all, sender=app)

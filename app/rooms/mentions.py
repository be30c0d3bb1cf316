"""Who is mentioned in what is said: `@name`. The message's data has the person's key, so a change or a removal of the
message takes the mention away, and another name does not.

Whoever sends a message may say whose keys they are, as the page does: two guests may have one name. Accounts are found
by their names.
"""

import re
from typing import Any, Final

from django.contrib.auth import get_user_model

from rooms.markup import PARTS
from topics.people import key_of, public_key_of

MOST: Final = 10  # in a message; rooms/static/rooms/mentions.js has as many
KEY: Final = re.compile(r"[0-9a-f]{16}")
NAMES: Final = re.compile(r"(?<![\w.+-])@([\w.@+-]{1,150})")
ENDS: Final = ".@+-"  # belong to a sentence rather than to a name


def are_keys(given: Any) -> bool:
    return (
        isinstance(given, list)
        and len(given) <= MOST
        and all(isinstance(key, str) and KEY.fullmatch(key) for key in given)
    )


def mentioned(body: str, given: list[str]) -> list[str]:
    """The public keys of those who are mentioned: those given, and accounts by their names. In code nobody is."""
    if "@" not in body:
        return []
    typed = NAMES.findall(PARTS.sub(" ", body))[:MOST]
    names = {form for name in typed for form in (name, name.rstrip(ENDS))}
    users, called = get_user_model(), f"{get_user_model().USERNAME_FIELD}__in"
    found = users._default_manager.filter(**{called: names}).order_by("pk") if names else []
    accounts = [public_key_of(key_of(user.pk)) for user in found]
    return list(dict.fromkeys([*given, *accounts]))[:MOST]


def mentions_of(data: Any) -> tuple[str, ...]:
    """The keys in a message's data."""
    found = data.get("mentions") if isinstance(data, dict) else None
    return tuple(found) if found and are_keys(found) else ()

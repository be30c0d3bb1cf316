"""Whose sessions these are: any number of them by two queries, where the database keeps them.

Nothing is written: a socket cannot set the cookie that a new session would need.
"""

from collections.abc import Collection, Iterable
from functools import partial
from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from topics.people import Person, of_user

IN_THE_DATABASE: Final = "django.contrib.sessions.backends.db"

Session = dict[str, Any]
"""What is stored in one."""


def people_of(keys: Collection[str]) -> dict[str, Person]:
    """Who is logged in by which session; one that is over, unknown, forged or not valid any more is left out."""
    found = sessions(keys)
    users = users_of(found.values())
    people = {}
    for key, session in found.items():
        user = users.get(claim_of(session))
        if user is not None and is_verified(user, session.get(HASH_SESSION_KEY, "")):
            people[key] = of_user(user)
    return people


def sessions(keys: Collection[str]) -> dict[str, Session]:
    engine = import_module(settings.SESSION_ENGINE)
    if settings.SESSION_ENGINE != IN_THE_DATABASE:
        return {key: engine.SessionStore(key)._get_session() for key in keys}
    store = engine.SessionStore()
    rows = store.model.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {key: store.decode(data) for key, data in rows.values_list("session_key", "session_data")}


def living(keys: Collection[str]) -> Iterable[str]:
    """Those that are there and not over, without a look into them; none where that cannot be told."""
    if settings.SESSION_ENGINE != IN_THE_DATABASE:
        return ()
    model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    rows = model.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return rows.values_list("session_key", flat=True)  # type: ignore[no-any-return]


Claim = tuple[str, Any]
"""The authentication backend that somebody logged in by, and the user's primary key."""


def claim_of(session: Session) -> Claim | None:
    try:
        return session[BACKEND_SESSION_KEY], get_user_model()._meta.pk.to_python(session[SESSION_KEY])
    except (KeyError, ValidationError):
        return None


def users_of(found: Collection[Session]) -> dict[Claim | None, Any]:
    """Whoever may be logged in, by claim. A backend that knows users in its own way is asked for each."""
    keys: dict[str, set[Any]] = {}
    for claim in filter(None, map(claim_of, found)):
        keys.setdefault(claim[0], set()).add(claim[1])
    return {
        (path, key): user
        for path in keys.keys() & set(settings.AUTHENTICATION_BACKENDS)
        for key, user in users_by(load_backend(path), keys[path]).items()
    }


def users_by(backend: Any, keys: Collection[Any]) -> dict[Any, Any]:
    if type(backend).get_user is not ModelBackend.get_user:
        return {key: backend.get_user(key) for key in keys}
    users = get_user_model()._default_manager.in_bulk(keys)
    return {key: user for key, user in users.items() if backend.user_can_authenticate(user)}


def is_verified(user: Any, hash: str) -> bool:
    """Whether the password is still the one that somebody logged in with, by this secret key or an earlier one."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    same = partial(constant_time_compare, hash)
    return bool(hash) and (same(user.get_session_auth_hash()) or any(map(same, user.get_session_auth_fallback_hash())))

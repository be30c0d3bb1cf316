"""Where somebody is logged in: by which sessions, each with the browser that has it, and how one is ended.

Django's sessions say nothing about whose they are. So a row is written for each: at the first page, and then once an
hour, as far as this process knows.
"""

from collections import OrderedDict
from importlib import import_module
from threading import Lock
from time import time
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

import topics
from accounts.devices import device
from accounts.models import MAX_AGENT, Device

HOUR: Final = 3600
NOTED: Final = 10_000  # sessions that a process remembers to have noted
SHOWN: Final = 50

_noted: OrderedDict[str, float] = OrderedDict()
_lock = Lock()


class Session(NamedTuple):
    """`device` is what a reader knows the browser by."""

    pk: int
    device: str
    began_at: Any
    seen_at: Any
    here: bool


def note(request: HttpRequest) -> None:
    """To be called after each answer to somebody who is logged in."""
    key = request.session.session_key
    if key and _is_due(key):
        agent = request.headers.get("User-Agent", "")[:MAX_AGENT]
        one = Device(user=_user(request), session=key, agent=agent)
        known = ["user", "agent", "seen_at"]
        Device.objects.bulk_create([one], update_conflicts=True, unique_fields=["session"], update_fields=known)


def _is_due(key: str) -> bool:
    now = time()
    with _lock:
        if _noted.get(key, 0) > now - HOUR:
            return False
        _noted[key] = now
        _noted.move_to_end(key)
        if len(_noted) > NOTED:
            _noted.popitem(last=False)
    return True


def own(request: HttpRequest) -> list[Session]:
    """This one first, then the others, the one seen last first; at most SHOWN. Rows of what is over are removed."""
    here = request.session.session_key
    found = list(Device.objects.filter(user=_user(request)).order_by("-seen_at", "-pk"))
    alive = living(request.user, [one.session for one in found])
    Device.objects.filter(pk__in=[one.pk for one in found if one.session not in alive]).delete()
    listed = [
        Session(one.pk, device(one.agent), one.began_at, one.seen_at, one.session == here)
        for one in found
        if one.session in alive
    ]
    return sorted(listed, key=lambda one: not one.here)[:SHOWN]


def _user(request: HttpRequest) -> Any:
    return request.user


def living(user: Any, keys: list[str]) -> set[str]:
    """Those that are there, not over, and from after her last change of the password."""
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):
        rows = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        found = {key: store().decode(data) for key, data in rows.values_list("session_key", "session_data")}
    else:
        found = {key: store(key).load() for key in keys}
    hash = user.get_session_auth_hash()
    return {key for key, data in found.items() if constant_time_compare(data.get(HASH_SESSION_KEY, ""), hash)}


def end(user: Any, pk: int) -> bool:
    """Ends that one; its sockets are closed within a second. False where she has no such session."""
    key = Device.objects.filter(user=user, pk=pk).values_list("session", flat=True).first()
    if key is not None:
        _end(user, [key])
    return key is not None


def end_others(request: HttpRequest) -> None:
    others = Device.objects.filter(user=_user(request)).exclude(session=request.session.session_key)
    _end(request.user, list(others.values_list("session", flat=True)))


def end_all(user: Any) -> None:
    _end(user, list(Device.objects.filter(user_id=user.pk).values_list("session", flat=True)))


def _end(user: Any, keys: list[str]) -> None:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    with transaction.atomic():
        for key in keys:
            store(key).delete()
        Device.objects.filter(session__in=keys).delete()
        topics.recheck(user=user)

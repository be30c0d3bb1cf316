"""Who somebody is, and by what: which may end before the socket does."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from topics.people import Person


class Identity(NamedTuple):
    """`session` is a session's key, `token` a token's primary key. From `until` on it holds no longer."""

    person: Person
    session: str | None = None
    token: int | None = None
    until: datetime | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Those beside the person's by which its sockets are found."""
        return () if self.token is None else (token_key(self.token),)


def token_key(token: int) -> str:
    return f"token:{token}"


def at_its_end(identity: Identity, call: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Has call() called at that moment, unless the timer is cancelled before; None where there is no such moment."""
    if identity.until is None:
        return None
    seconds = (identity.until - timezone.now()).total_seconds()
    return asyncio.get_running_loop().call_later(max(0.0, seconds), call)

"""How many sockets this process can really carry: each takes a descriptor, and the machine limits those.

Some are kept for what serves the sockets. Without them a full process could refuse nobody, answer no health check and
store no message.
"""

import os
import resource
from typing import Final

from django.core.exceptions import ImproperlyConfigured

from realtime import metrics, redises
from realtime.conf import settings

# For files and connections that come and go while sockets are served.
DATABASE: Final = 24  # a pool of connections, or SQLite's three files in each thread that works
BETWEEN_PROCESSES: Final = 4  # one listens, one publishes, one asks how Redis is; of each server
SPARE: Final = 4  # a module that is imported late, a certificate, /dev/urandom
# For connections that are no sockets yet or never will be: handshakes that are refused, pages, health checks.
ARRIVING: Final = 16
OPEN_AT_THE_START: Final = 32  # standard streams, listeners, the loop's own; counted where the system shows them

_most: float = float("inf")


def most_sockets() -> float:
    """What the door may let in: MAX_SOCKETS, or less where the machine allows less."""
    return min(settings.MAX_SOCKETS, _most)


def raise_limit() -> int:
    """Raises the limit of open files as far as it may be raised without help. The limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = settings.MAX_SOCKETS + OPEN_AT_THE_START + kept() + ARRIVING
    wanted = max(soft, enough) if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # some systems have a lower one that they do not tell of
        return soft
    return wanted


def kept() -> int:
    """Descriptors that no connection of a client may take."""
    return max(DATABASE, settings.DATABASE_POOL) + redises.descriptors(BETWEEN_PROCESSES) + SPARE


def settle(limit: int) -> str:
    """Derives the bound once everything is open that stays open. A sentence if it is below MAX_SOCKETS, or nothing.

    Raises ImproperlyConfigured where not a single socket would fit.
    """
    global _most
    _most = limit - open_now() - kept() - ARRIVING
    if _most < 1:
        least = limit - _most + 1
        raise ImproperlyConfigured(f"The limit of open files (ulimit -n) is {limit}: at least {least:.0f} are needed.")
    if _most >= settings.MAX_SOCKETS:
        return ""
    return (
        f"MAX_SOCKETS is {settings.MAX_SOCKETS}, but the limit of open files is {limit}: at most {_most} sockets are "
        "let in. Raise the limit (ulimit -n, nofile) or lower MAX_SOCKETS."
    )


def open_now() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return OPEN_AT_THE_START


metrics.most_sockets.set_function(most_sockets)

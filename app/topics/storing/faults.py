"""Which errors of the database pass, and which come again at every try: by SQLSTATE where there is one."""

from typing import Final

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, connection

from topics.conf import settings

LOCK_TIMEOUT: Final = "55P03"
PERMANENT: Final = ("22", "23", "54")  # data that cannot be stored, what contradicts other data, what is too big
READ_ONLY: Final = "25"  # the class of transactions that may not do what they are for
AWAY: Final = ("08", READ_ONLY, "53", "57P", "58")  # no connection, no writes, no room, being stopped, a broken disk


def state_of(error: Exception) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""


def is_lock_timeout(error: Exception) -> bool:
    return state_of(error) == LOCK_TIMEOUT


def is_permanent(error: Exception) -> bool:
    """Whether the same would happen tomorrow. What raises before the database is asked is as permanent."""
    if state := state_of(error):
        return state.startswith(PERMANENT)
    return isinstance(error, (DataError, IntegrityError, ValueError, TypeError))


def is_everybodys(error: Exception) -> bool:
    """Whether it is the database's trouble, and not that of something in what it was asked."""
    state = state_of(error)
    if isinstance(error, (OperationalError, InterfaceError)):
        return not state.startswith(PERMANENT)
    return state.startswith(READ_ONLY)


def is_away(error: Exception) -> bool:
    """Whether Postgres would fail whatever it was asked: it is away, full, or takes no writes."""
    if not isinstance(error, DatabaseError | InterfaceError) or connection.vendor != "postgresql":
        return False
    state = state_of(error)
    return state.startswith(AWAY) if state else isinstance(error, OperationalError | InterfaceError)


def is_connections(error: Exception) -> bool:
    """Whether another connection may do better."""
    opened = connection.connection is not None and not connection.in_atomic_block
    return is_everybodys(error) and opened and not connection.is_usable()


def most_spoiled() -> int:
    """How many connections may have to be given up until a good one is met: all that a pool kept from bad times."""
    return settings.DATABASE_POOL if getattr(connection, "pool", None) else 1

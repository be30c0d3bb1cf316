"""Queries that take long are named in the log, by their text without a value in it, and with whom they were for."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any, Final

from realtime.seldom import Seldom, again

SLOW_SECONDS: Final = 1.0
MOST: Final = 300  # characters of a statement
# What an application of somebody's own may have written into a statement, instead of beside it.
VALUES: Final = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")

logger = logging.getLogger(__name__)
_seldom = Seldom()


def watch(*, connection: Any, **kwargs: object) -> None:
    """Called for each connection that Django opens or takes from the pool."""
    if timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(timed)


def timed(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
    began = time.monotonic()
    try:
        return execute(sql, *rest)
    finally:
        took = time.monotonic() - began
        if took >= SLOW_SECONDS:
            tell(str(sql), took)


def tell(sql: str, took: float) -> None:
    statement = VALUES.sub("?", " ".join(sql.split()))[:MOST]
    if (times := _seldom.due(statement)) is not None:
        logger.warning("a query took %.1f s: %s%s", took, statement, again(times))

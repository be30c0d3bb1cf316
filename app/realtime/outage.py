"""How the log tells of a service that does not answer: where it is, seldom, and without its password.

Only the kind of an error is said, and the system's word for it: a Redis that knows no passwords, for example, repeats
the one that it was given.
"""

import logging
import os

from realtime.conf import settings
from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)


class Outage:
    """Of one service: said at once, then once a minute, and when it is over."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._seldom = Seldom()
        self._is_told = False

    def failed(self, error: BaseException) -> None:
        times = self._seldom.due("")
        if times is not None:
            self._is_told = True
            logger.warning("%s does not answer: %s%s", self._service, kind(error), again(times))

    def answered(self) -> None:
        if self._is_told:
            self._is_told = False
            logger.warning("%s answers again", self._service)


def kind(error: BaseException) -> str:
    """Such as `ConnectionError (Connection refused)`."""
    name = type(error).__name__
    for each in (error, error.__cause__, error.__context__):
        if isinstance(each, OSError) and each.errno:
            return f"{name} ({os.strerror(each.errno) if each.errno > 0 else each.strerror})"
    return name


def layer(place: str = "") -> Outage:
    """Of what carries events between the processes: of the server there, where it has several."""
    place = place or settings.REDIS_PLACE
    return Outage(f"Redis at {place}" if place else "the channel layer")

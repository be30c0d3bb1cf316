"""What strangers or a dead service could have said over and over is said once a minute, with a count."""

import threading
import time
from collections.abc import Callable

MINUTE = 60.0
DIFFERENT = 20  # things that are told apart in a minute: strangers think of any number


class Seldom:
    """Knows what was said in the last minute. For all threads."""

    def __init__(
        self, seconds: float = MINUTE, different: int = DIFFERENT, now: Callable[[], float] | None = None
    ) -> None:
        self._seconds, self._different = seconds, different
        self._now = now or time.monotonic
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, int]] = {}  # when, and how often it was not said since

    def due(self, what: str) -> int | None:
        """How often it was kept back since it was last said; None: it is not to be said now."""
        with self._lock:
            at = self._now()
            when, times = self._said.get(what, (None, 0))
            if when is not None and at - when < self._seconds:
                self._said[what] = when, times + 1
                return None
            if when is None and not self._has_room(at):
                return None
            self._said[what] = at, 0
            return times

    def _has_room(self, at: float) -> bool:
        if len(self._said) >= self._different:
            self._said = {what: said for what, said in self._said.items() if at - said[0] < self._seconds}
        return len(self._said) < self._different


def again(times: int) -> str:
    """To be put behind a sentence that is said once more."""
    return f" ({times} more times since this was last said)" if times else ""

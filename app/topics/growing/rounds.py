"""A thread for work that comes back."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from django.db import connection

from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 0.02


class Rounds:
    """Works every few moments, and at once where `soon` is set, for as long as there is any work.

    `work` returns whether something is left that is to be tried again in a moment. What it raises is logged, and it is
    done again the next time. The thread keeps its connection to the database, unless that is a pool's: opening one
    takes longer than what most rounds ask.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], bool], goes_on: Callable[[], bool]) -> None:
        self.soon = threading.Event()
        self._name, self._seconds = name, seconds
        self._work, self._there_is_work = work, goes_on
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._trouble = Seldom()

    def begin(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # also the one of before a fork
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            self.soon.wait(self._seconds)
            while self._goes_on():
                self.soon.clear()
                self.soon.wait(RETRY_SECONDS if self._worked() else self._seconds)
        finally:
            connection.close()

    def _worked(self) -> bool:
        try:
            is_left = self._work()
        except Exception as error:
            connection.close()
            if (times := self._trouble.due(kind := type(error).__name__)) is not None:
                logger.warning("%s cannot be done now: %s: %s%s", self._name, kind, error, again(times))
            return False
        if getattr(connection, "pool", None):
            connection.close()  # gives it back
        return is_left

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._there_is_work():
                self._thread = None
            return self._thread is not None

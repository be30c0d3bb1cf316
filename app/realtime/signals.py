"""SIGTERM and SIGINT, from a process's first moment to its last. Imports nothing that takes time."""

import signal
from collections.abc import Callable
from types import FrameType


class Signals:
    """Until somebody is attached, both end the process at once and with 0."""

    def __init__(self) -> None:
        self._told: Callable[[int], None] | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def attach(self, told: Callable[[int], None]) -> None:
        """From here on `told(number)` is called, between any two steps of the main thread."""
        self._told = told

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._told is None:
            raise SystemExit(0)
        self._told(number)

"""SIGTERM and SIGINT, from a process's first moment to its last."""

import asyncio
import signal
from types import FrameType


class Signals:
    """SIGTERM and SIGINT, from the first moment to the last. Until `attach` both end the process at once."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.any = asyncio.Event()
        self.at_once = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def attach(self) -> None:
        """From here on the running loop is told."""
        self._loop = asyncio.get_running_loop()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._loop is None:
            raise SystemExit(0)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, number)

    def _tell(self, number: int) -> None:
        self.any.set()
        if number == signal.SIGINT:
            self.at_once.set()

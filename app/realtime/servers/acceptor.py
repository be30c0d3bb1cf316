"""Accepts connections while there are descriptors for them; the others wait in the kernel's queue.

The servers' own listeners accept whatever comes and then reset what they have no descriptor for: a client at the door
of a full process would not be told so.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from typing import Any, Final

from realtime.listening import close_queue
from realtime.outage import kind
from realtime.seldom import Seldom, again

logger = logging.getLogger(__name__)

AT_ONCE: Final = 100  # connections in one turn of the loop
PAUSE_SECONDS: Final = 0.05  # for connections to end, where no descriptor is left


class Acceptor:
    """Gives each connection, with its address, to `take`; after a descriptor of `ceiling` or above it pauses.

    The kernel gives out the lowest number that is free, so a high one tells that all below are taken.
    """

    def __init__(self, listener: socket.socket, take: Callable[[socket.socket, Any], None], ceiling: float) -> None:
        self._listener, self._take, self._ceiling = listener, take, ceiling
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._shortages = Seldom()
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        self._stop_listening()
        self._listener.close()

    def finish(self) -> bool:
        """Takes in those who wait in the kernel's queue, and closes. False while there is no descriptor for some."""
        self._stop_listening()
        close_queue(self._listener)
        try:
            while self._has_room():
                self._accept_one()
        except BlockingIOError:
            self._listener.close()
            return True
        except OSError:  # there is room no longer, or a client has gone
            pass
        return False

    def _stop_listening(self) -> None:
        if self._later:
            self._later.cancel()
        self._loop.remove_reader(self._listener)

    def _go_on(self) -> None:
        """Once somebody has left: each pause would else let in one more, into what is kept for those inside."""
        if self._has_room():
            self._later = None
            self._loop.add_reader(self._listener, self._accept)
        else:
            self._later = self._loop.call_later(PAUSE_SECONDS, self._go_on)

    def _has_room(self) -> bool:
        try:
            lowest = os.dup(self._listener.fileno())
        except OSError:
            return False
        os.close(lowest)
        return lowest < self._ceiling

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                number = self._accept_one()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            if number >= self._ceiling:
                self._pause()
                return

    def _accept_one(self) -> int:
        """The number of its descriptor."""
        connection, address = self._listener.accept()
        number = connection.fileno()
        self._hand_over(connection, address)
        return number

    def _hand_over(self, connection: socket.socket, address: Any) -> None:
        connection.setblocking(False)
        try:
            self._take(connection, address)
        except Exception:
            logger.exception("a connection could not be served")
            connection.close()

    def _pause(self, error: OSError | None = None) -> None:
        self._loop.remove_reader(self._listener)
        self._later = self._loop.call_later(PAUSE_SECONDS, self._go_on)
        if (times := self._shortages.due("")) is not None:
            reason = f" ({kind(error)})" if error else ""
            logger.warning("nobody is accepted until others leave: the open files run out%s%s", reason, again(times))

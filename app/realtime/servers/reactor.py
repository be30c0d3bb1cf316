"""Twisted's event loop."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet import asyncioreactor, tcp
from twisted.internet.main import CONNECTION_LOST, installReactor


class Reactor(asyncioreactor.AsyncioSelectorReactor):
    """Hears of every connection's end, on uvloop too.

    uvloop stops watching a socket at its first error, without a word: it calls the reader once more, and closes its
    handle. A reader that finds data then, and the error only behind it, would never be called again, and whatever it
    writes would raise, as the loop keeps the closed handle under the socket's number.
    """

    _readers: dict[Any, int]
    _writers: dict[Any, int]

    def addReader(self, reader: Any) -> None:
        """Without Twisted's wrapper around each call, which names the connection in a log that nobody keeps."""
        if not isinstance(reader, tcp.Connection):
            super().addReader(reader)
        elif reader not in self._readers:
            self._watch(self._asyncioEventloop.add_reader, reader, self._read)
            self._readers[reader] = reader.fileno()

    def addWriter(self, writer: Any) -> None:
        if not isinstance(writer, tcp.Connection):
            super().addWriter(writer)
        elif writer not in self._writers:
            self._watch(self._asyncioEventloop.add_writer, writer, self._write)
            self._writers[writer] = writer.fileno()

    def _watch(self, add: Callable[..., None], connection: tcp.Connection, call: Callable[..., None]) -> None:
        fd = connection.fileno()
        try:
            add(fd, call, connection)
        except RuntimeError:  # a handle that was closed: the next one finds the error again, and tells of it
            self._asyncioEventloop.remove_reader(fd)
            self._asyncioEventloop.remove_writer(fd)
            add(fd, call, connection)

    def _read(self, connection: tcp.Connection) -> None:
        self._readOrWrite(connection, True)
        if connection in self._readers and connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._disconnectSelectable(connection, CONNECTION_LOST, True)

    def _write(self, connection: tcp.Connection) -> None:
        self._readOrWrite(connection, False)


def install() -> None:
    """Lets Twisted run on uvloop where that is installed, else on asyncio's loop.

    There is one reactor a process, chosen at the latest by the first import of Daphne: to be called before.
    """
    if "twisted.internet.reactor" not in sys.modules:
        installReactor(Reactor(_new_event_loop()))


def _new_event_loop() -> asyncio.AbstractEventLoop:
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()

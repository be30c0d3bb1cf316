"""Connections whose next request has not come as a whole: counted, bounded, and ended by a deadline.

The deadline is absolute: no byte that comes moves it. Where there are too many, of one address or at all, the oldest
of them goes, so that whoever sends a request at once is always served.
"""

import asyncio
from typing import Protocol

from realtime import metrics
from realtime.admission import subscriber_at
from realtime.conf import settings
from realtime.limits import MAX_UNFINISHED, SILENT_SECONDS


class Connection(Protocol):
    idle: bool  # between two requests
    begun: bool  # something has come

    def late(self) -> None:
        """The deadline has come."""

    def drop(self) -> None:
        """Ends at once."""


class Unfinished:
    """Those of one process, the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[Connection, tuple[asyncio.TimerHandle, str | None, float]] = {}  # and since when
        self._at: dict[str, dict[Connection, None]] = {}  # of one address
        metrics.unfinished.set_function(self.__len__)

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._waiting

    def begin(self, connection: Connection, host: str | None, seconds: float) -> None:
        """Waits so many seconds for a request of this connection, from now on."""
        self.end(connection)
        address = subscriber_at(host) if host and counts_addresses() else None
        if len(self._waiting) >= MAX_UNFINISHED:
            self._drop(next(iter(self._waiting)))
        if address is not None:
            others = self._at.setdefault(address, {})
            if len(others) >= settings.SOCKETS_PER_ADDRESS:
                self._drop(next(iter(others)))
            self._at.setdefault(address, {})[connection] = None
        loop = asyncio.get_running_loop()
        self._waiting[connection] = loop.call_later(seconds, self._late, connection), address, loop.time()

    def end(self, connection: Connection) -> None:
        """The request is here, or the connection has gone."""
        timer, address, _ = self._waiting.pop(connection, (None, None, 0.0))
        if timer is not None:
            timer.cancel()
        if address is not None:
            del self._at[address][connection]
            if not self._at[address]:
                del self._at[address]

    def asks(self, connection: Connection) -> bool:
        """A request of this one is on its way: it has begun, or its client has connected just now."""
        if connection not in self._waiting or connection.idle:
            return False
        since = self._waiting[connection][2]
        return connection.begun or asyncio.get_running_loop().time() - since < SILENT_SECONDS

    def asked(self) -> bool:
        """Some of them does."""
        return any(map(self.asks, self._waiting))

    def _late(self, connection: Connection) -> None:
        self.end(connection)
        connection.late()

    def _drop(self, connection: Connection) -> None:
        metrics.unfinished_dropped.inc()
        self.end(connection)
        connection.drop()


def counts_addresses() -> bool:
    """Behind a proxy, all connections are the proxy's."""
    return bool(settings.SOCKETS_PER_ADDRESS) and not settings.PROXY_HOPS


unfinished = Unfinished()

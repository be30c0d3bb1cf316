"""Django's Postgres, whose connections end where they have shown to be good for nothing.

`close()` gives a connection back: to the pool, or to the thread's next request. What is wrong with its session, or
with the server that it leads to, would be met there again, for as long as the pool keeps it. A check by `SELECT 1` does
not see that a server has become read-only, and who only reads meets no error: a connection that was opened while it
was would refuse the first writer afterwards. The server says it by itself when a connection is opened and whenever it
changes.

With synchronous replication a COMMIT that waits for the standby may be cancelled: Postgres then calls it a success,
with a warning that it is on one server alone. Nobody may be told that it is stored, since with this server it could be
gone: here it is an error. Whoever tries again locks the log once more, and so waits for the standby, too.
"""

import time
from functools import partial
from typing import Any
from weakref import WeakSet, ref

from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property

# Beginnings of SQLSTATE. The class 25 holds "read-only transaction" and "in failed transaction", 57P the server's own
# end, 08 broken connections and protocols, 26000 and 42P05 prepared statements that a pooler in between has lost or
# kept, 0A000 a cached plan whose result has changed.
SPOILED = ("08", "0A000", "25", "26000", "42P05", "57P", "58", "XX")
OF_THE_SERVER = ("25006", "57P")  # all connections lead there
# What Postgres reports without being asked, from version 14 on.
REPLICA = "replica"  # for which that is as it should be
READ_ONLY = ("default_transaction_read_only", "in_hot_standby")
WAITS_FOR_STANDBY = "SyncRepWaitForLSN"  # the function of Postgres that says so, in whatever language
DRAIN_SECONDS = 1.0  # between two times that the whole pool is replaced


_heeded: WeakSet[Any] = WeakSet()  # connections whose warnings are read
_alone: WeakSet[Any] = WeakSet()  # those whose last transaction is on one server alone


def heed(connection: "ref[Any]", said: Any) -> None:
    if said.source_function == WAITS_FOR_STANDBY and (one := connection()) is not None:
        _alone.add(one)


class Errors(DatabaseErrorWrapper):
    """Looks at each error of the driver before Django makes its own of it."""

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is not None and issubclass(kind, self.wrapper.Database.Error):
            self.wrapper.note(error)
        super().__exit__(kind, error, traceback)
        if _alone and kind is None and self.wrapper.connection in _alone:
            _alone.discard(self.wrapper.connection)
            raise OperationalError("the standby has not confirmed what was stored")


class DatabaseWrapper(base.DatabaseWrapper):
    _spoiled = False
    _drained_at = 0.0

    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

    def note(self, error: Any) -> None:
        state = error.sqlstate or ""
        self._spoiled = self._spoiled or state.startswith(SPOILED)
        if state.startswith(OF_THE_SERVER):
            self._drain()

    def is_usable(self) -> bool:
        return self.connection is not None and not self._is_spoiled() and super().is_usable()

    def _is_spoiled(self) -> bool:
        if self._spoiled or self.connection.closed:
            return True
        if self.alias == REPLICA:
            return False
        return any(self.connection.info.parameter_status(name) == "on" for name in READ_ONLY)

    def get_new_connection(self, conn_params: Any) -> Any:
        """From the pool it may be one that was opened before."""
        connection = super().get_new_connection(conn_params)
        if connection not in _heeded:
            _heeded.add(connection)
            connection.add_notice_handler(partial(heed, ref(connection)))
        return connection

    def _close(self) -> None:
        if self.connection is not None and self._is_spoiled():
            self.connection.close()  # a pool that gets it back replaces it
        self._spoiled = False
        super()._close()

    def _drain(self) -> None:
        """Replaces the pool's connections; not again and again while the server stays as it is."""
        kind, now = type(self), time.monotonic()
        if self.pool and now - kind._drained_at > DRAIN_SECONDS:
            kind._drained_at = now
            self.pool.drain()

"""gunicorn's worker of threads, with a deadline for each request to come as a whole.

Its threads wait for the rest of a request as long as it takes: as many halves as there are threads, and nobody is
served any more.
"""

import contextlib
import socket
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from realtime import metrics
from realtime.limits import REQUEST_SECONDS


class Worker(ThreadWorker):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadlines: dict[Any, float] = {}  # of the connections that a thread is busy with

    def init_process(self) -> None:
        metrics.threads.set(self.cfg.threads)
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """In a thread."""
        self.deadlines[conn] = time.monotonic() + REQUEST_SECONDS
        metrics.busy_threads.inc()
        try:
            return super().handle(conn)
        finally:
            metrics.busy_threads.dec()
            del self.deadlines[conn]

    def murder_keepalived(self, force: bool = False) -> None:
        """Once a second. Whoever reads a late request comes to its end; an answer under way is still sent."""
        super().murder_keepalived(force)
        metrics.queued.set(self.tpool._work_queue.qsize())
        now = time.monotonic()
        for conn, deadline in list(self.deadlines.items()):
            if deadline < now:
                with contextlib.suppress(OSError):  # it has gone
                    conn.sock.shutdown(socket.SHUT_RD)

"""What gunicorn's processes count, added up on one port. The first of them, which serves nobody, makes the page.

prometheus_client keeps each process's numbers in files, and decides on that when it is imported.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

WHERE: Final = "PROMETHEUS_MULTIPROC_DIR"
MEMORY: Final = Path("/dev/shm")


def begin() -> None:
    """Before anything imports prometheus_client."""
    os.environ[WHERE] = tempfile.mkdtemp(prefix="metrics-", dir=MEMORY if MEMORY.is_dir() else None)


def serve(host: str, port: int) -> Callable[[], None] | None:
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    from realtime import metrics

    together = CollectorRegistry()
    MultiProcessCollector(together)
    return metrics.serve(host, port, together)


def forget(pid: int) -> None:
    """A worker has ended: what it has counted stays, what it was busy with does not."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)


def end() -> None:
    if folder := os.environ.get(WHERE):
        shutil.rmtree(folder, ignore_errors=True)


def over_wsgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Counts the answers, by the first digit of their status, and how long each took to begin."""
    from realtime import metrics

    def counted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        began = time.perf_counter()

        def start(status: str, *rest: Any) -> Any:
            metrics.answer_seconds.labels(f"{status[:1]}xx").observe(time.perf_counter() - began)
            return start_response(status, *rest)

        return application(environ, start)

    return counted

"""gunicorn for the pages: gunicorn -c config/gunicorn.py config.wsgi"""

import gc
import os
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["ROLE"] = "wsgi"

from django.conf import settings

from config import counted
from realtime.limits import GRACE_SECONDS, KEEP_ALIVE_SECONDS, MAX_HEADERS

try:
    if settings.METRICS_PORT:
        counted.begin()
    bind = f"[{settings.HOST}]:{settings.PORT}" if ":" in settings.HOST else f"{settings.HOST}:{settings.PORT}"
    from config import wsgi  # noqa: F401
except ImproperlyConfigured as error:
    sys.exit(str(error))

preload_app = True  # imported once, above, and shared by the workers
workers = settings.WEB_CONCURRENCY
worker_class = "config.worker.Worker"
threads = 4
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # heartbeats must not wait for a disk
control_socket_disable = True  # its file would need a writable home
limit_request_line = limit_request_field_size = 8190  # as much as it can be told, and as nginx takes
limit_request_fields = MAX_HEADERS
keepalive = KEEP_ALIVE_SECONDS
graceful_timeout = GRACE_SECONDS - 10
forwarded_allow_ips = ""  # realtime.proxy decides whom to believe
secure_scheme_headers: dict[str, str] = {}
logconfig_dict = settings.LOGGING


def when_ready(arbiter: Any) -> None:
    """Before the first worker. What was imported stays: to look for cycles in it would copy it into each worker."""
    gc.collect()
    gc.freeze()
    arbiter.leave_metrics = counted.serve(settings.HOST, settings.METRICS_PORT) if settings.METRICS_PORT else None


def post_fork(arbiter: Any, worker: Any) -> None:
    if arbiter.leave_metrics:
        arbiter.leave_metrics()


def child_exit(arbiter: Any, worker: Any) -> None:
    if settings.METRICS_PORT:
        counted.forget(worker.pid)


def on_exit(arbiter: Any) -> None:
    counted.end()


def post_worker_init(worker: Any) -> None:
    """After the fork: connections and threads belong to one process. The first worker says what is not reached."""
    from config import tracing
    from realtime import reach

    tracing.begin()
    if worker.age == 1:
        reach.look()

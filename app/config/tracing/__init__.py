"""OpenTelemetry: from a request or handshake to the sockets of another process. docs/operate.md says what is in it.

Off where OTEL_EXPORTER_OTLP_ENDPOINT is empty: then nothing of OpenTelemetry is imported. Neither addresses and names
nor cookies, queries and what people say are in any span.
"""

import atexit
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings

from realtime import tracing
from realtime.limits import FLUSH_SECONDS

MOST_WAITING = 2_048  # spans of 1 to 2 KiB; more is dropped, and told once a minute
BATCH = 512
PAUSE_MS = 1_000  # until a span is sent, at most


def begin() -> None:
    """In the process that serves, so behind gunicorn's fork: a thread of its own sends what is recorded."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT or tracing.tracer is not None:
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import set_tracer_provider

    from config.tracing.collector import Collector
    from config.tracing.sampling import sampler
    from config.tracing.spans import Spans

    here = {"service.name": settings.OTEL_SERVICE_NAME, "service.instance.id": f"{socket.gethostname()}:{os.getpid()}"}
    chosen = sampler(settings.OTEL_TRACES_SAMPLER, settings.OTEL_TRACES_SAMPLER_ARG)
    provider = TracerProvider(sampler=chosen, resource=Resource.create(here), shutdown_on_exit=False)
    collector = Collector(settings.OTEL_EXPORTER_OTLP_ENDPOINT, settings.OTEL_EXPORTER_OTLP_HEADERS)
    provider.add_span_processor(BatchSpanProcessor(collector, MOST_WAITING, PAUSE_MS, BATCH))
    set_tracer_provider(provider)  # for what an application's own code, or an instrumentation, adds
    tracing.tracer = Spans(provider.get_tracer("rooms"))
    atexit.register(Ending(provider.shutdown).end)


def over_asgi(sockets: Any) -> Any:
    """The application that serves WebSockets, whose handshakes begin traces: itself where there is no tracer."""
    if tracing.tracer is None:
        return sockets
    from config.tracing import handshakes

    return handshakes.over_asgi(sockets)


class Ending:
    """Sends what is left, for a moment: the library would wait half a minute for a collector that hangs.

    Its thread is there from the beginning, since an interpreter that ends starts none.
    """

    def __init__(self, shutdown: Callable[[], None]) -> None:
        self._shutdown = shutdown
        self._asked, self._done = threading.Event(), threading.Event()
        threading.Thread(target=self._run, name="end of tracing", daemon=True).start()

    def end(self) -> None:
        self._asked.set()
        self._done.wait(FLUSH_SECONDS)

    def _run(self) -> None:
        self._asked.wait()
        self._shutdown()
        self._done.set()

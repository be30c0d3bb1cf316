"""What a process counts about itself, for Prometheus on an internal port."""

import logging
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, start_http_server
from prometheus_client.core import CounterMetricFamily

logger = logging.getLogger(__name__)


class Tally:
    """A counter for the loop's thread alone: one for all threads takes a lock, which a frame has no time for."""

    def __init__(self, name: str, documentation: str) -> None:
        self.name, self.documentation = name, documentation
        self.count = 0
        REGISTRY.register(self)

    def inc(self) -> None:
        self.count += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self.name, self.documentation, value=self.count)


sockets = Gauge("realtime_sockets", "Sockets that are open")
draining = Gauge("realtime_draining", "1 while the process says goodbye to its sockets")
refused = Counter("realtime_refused", "Handshakes refused", ["reason"])
unfinished = Gauge("realtime_unfinished", "Connections whose next request has not come as a whole")
requests_refused = Counter("realtime_requests_refused", "Requests answered by the server itself", ["status"])
unfinished_dropped = Counter("realtime_unfinished_dropped", "Connections dropped for others, oldest first")
goodbyes = Counter("realtime_goodbyes", "Sockets closed on purpose", ["reason"])

frames_in = Tally("realtime_frames_in", "Frames received from clients")
outbox_dropped = Counter("realtime_outbox_dropped", "Ephemeral frames that a slow socket did not get")

failures = Counter("realtime_failures", "Exceptions that nobody waited for", ["where"])
waiting = Gauge("realtime_waiting_bytes", "Bytes that wait until clients take them")
limited = Counter("realtime_limited", "Things refused because a person or an address has its share", ["limit"])

rooms = Gauge("realtime_rooms", "Rooms with a socket here")
repairs = Counter("realtime_repairs", "Times that numbers did not come by themselves, and the log was asked")
appended = Counter("realtime_appended", "Messages stored")
layer_dropped = Counter("realtime_layer_dropped", "Events that the channel layer did not take")
foreign = Counter("realtime_foreign", "Events of another installation or of another log, which were dropped")
layer_failures = Counter("realtime_layer_failures", "Times the channel layer did not answer")


def serve(host: str, port: int) -> None:
    """/metrics in a thread of its own; port 0 is off. A taken port costs the metrics, not the service."""
    if not port:
        return
    try:
        start_http_server(port, host)
    except OSError as error:
        logger.warning("no metrics: port %d on %s cannot be had (%s)", port, host, error.strerror)

"""What a process counts about itself, for Prometheus on an internal port. docs/metrics.md says what to read from it.

No label has values that clients choose. Several processes that share a port (gunicorn's) are added up, hence the mode
of each gauge.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from realtime.tallies import Spread, Tally

logger = logging.getLogger(__name__)

LiveGauge: Final = partial(Gauge, multiprocess_mode="livesum")
MOMENTS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)  # of a busy loop
WAITS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # that somebody may notice
SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)

# --- Sockets ---------------------------------------------------------------------------------------

sockets = LiveGauge("realtime_sockets", "Sockets that are open")
most_sockets = LiveGauge("realtime_sockets_most", "Sockets and streams that are let in at most")
opened = Tally("realtime_opened", "Handshakes of sockets that were accepted")
refused = Counter("realtime_refused", "Handshakes refused", ["reason"])
goodbyes = Counter("realtime_goodbyes", "Sockets closed on purpose", ["reason"])
closed = Counter("realtime_closed", "Sockets that have ended, by close code", ["code"])
draining = LiveGauge("realtime_draining", "1 while the process says goodbye to its sockets")
to_drain = LiveGauge("realtime_draining_sockets", "Sockets that were open when it began to say goodbye")

tasks = LiveGauge("realtime_tasks", "Tasks of the event loop")

# --- Requests --------------------------------------------------------------------------------------

unfinished = LiveGauge("realtime_unfinished", "Connections whose next request has not come as a whole")
requests_refused = Counter("realtime_requests_refused", "Requests answered by the server itself", ["status"])
unfinished_dropped = Counter("realtime_unfinished_dropped", "Connections dropped for others, oldest first")
limited = Counter("realtime_limited", "Things refused because a person or an address has its share", ["limit"])

# --- Pages, in gunicorn ----------------------------------------------------------------------------

threads = LiveGauge("web_threads", "Threads for requests, of all workers")
busy_threads = LiveGauge("web_threads_busy", "Threads that are busy with a connection")
queued = LiveGauge("web_queue", "Connections that wait for a thread")
answer_seconds = Histogram("web_answer_seconds", "From a request to its answer's begin", ["status"], buckets=WAITS)

# --- From a client to the log ----------------------------------------------------------------------

frames_in = Tally("realtime_frames_in", "Frames received from clients")
appended = Counter("realtime_appended", "Messages stored")
append_seconds = Histogram("realtime_append_seconds", "One transaction that appends, in its thread", buckets=WAITS)
append_events = Histogram("realtime_append_events", "What one transaction of sockets' events stores", buckets=SIZES)
ack_seconds = Spread("realtime_ack_seconds", "From an event's arrival to its acknowledgement, after COMMIT", WAITS)

# --- From the log to the clients -------------------------------------------------------------------

rooms = LiveGauge("realtime_rooms", "Topics and rooms that a socket here follows")
handed_out = Tally("realtime_handed_out", "Deliveries: events and ephemeral frames, times the sockets they were for")
hand_out_seconds = Spread(
    "realtime_hand_out_seconds", "One round: all that was new in a topic, to each socket", MOMENTS
)
waiting = LiveGauge("realtime_waiting_bytes", "Bytes that wait until clients take them")
most_waiting = LiveGauge("realtime_waiting_bytes_most", "Bytes above which who is behind gets nothing more at once")
outbox_dropped = Counter("realtime_outbox_dropped", "Ephemeral frames that a slow socket did not get")
fell_behind = Tally("realtime_fell_behind", "Times that a socket was too slow, and is caught up")
catch_up_seconds = Spread(
    "realtime_catch_up_seconds", "Until who came late, returned or was slow had everything", WAITS
)
pages = Counter("realtime_pages", "Pages read for those who are caught up", ["source"])
replica_reads = Counter("realtime_replica_reads", "Reads that a replica may answer, and who did or why not", ["by"])
gaps = Counter("realtime_gaps", "Numbers that did not come in order, and what closed the gap", ["closed"])

# --- Between processes -----------------------------------------------------------------------------

layer_lag_seconds = Spread("realtime_layer_lag_seconds", "From publishing to another process' hand-out here", WAITS)
layer_dropped = Counter("realtime_layer_dropped", "Events that the channel layer did not take")
layer_failures = Counter("realtime_layer_failures", "Times the channel layer did not answer")
foreign = Counter("realtime_foreign", "Events of another installation or of another log, which were dropped")

failures = Counter("realtime_failures", "Exceptions that nobody waited for", ["where"])

BY_ITSELF, BY_LOG, NEVER, UNREAD = (gaps.labels(how) for how in ("itself", "log", "never", "unread"))
FROM_MEMORY, FROM_LOG = (pages.labels(source) for source in ("memory", "log"))


def serve(host: str, port: int, registry: CollectorRegistry = REGISTRY) -> Callable[[], None] | None:
    """/metrics in a thread of its own; port 0 is off. A taken port costs the metrics, not the service.

    What it returns gives the port up in a process that has inherited it.
    """
    if not port:
        return None
    try:
        server: Any = start_http_server(port, host, registry)[0]
    except OSError as error:
        logger.warning("no metrics: port %d on %s cannot be had (%s)", port, host, error.strerror)
        return None
    return server.socket.close  # type: ignore[no-any-return]

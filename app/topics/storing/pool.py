"""How many connections to the database the process's pool has, and who waits for one."""

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

COUNTED = {  # by psycopg: its name, its unit in ours
    "realtime_pool_requests": ("requests_num", 1, "Times that somebody wanted a connection"),
    "realtime_pool_waits": ("requests_queued", 1, "Times that none was free"),
    "realtime_pool_wait_seconds": ("requests_wait_ms", 1000, "Seconds of waiting for one, all together"),
    "realtime_pool_errors": ("requests_errors", 1, "Times that none came in time"),
    "realtime_pool_lost": ("connections_lost", 1, "Connections that were found dead"),
}


class PoolCollector:
    """Nothing where there is no pool: with SQLite, and in gunicorn, whose threads keep their connections."""

    def describe(self) -> list[Metric]:
        """Whoever registers it asks for no names, for which the database would have to be set up."""
        return []

    def collect(self) -> Iterator[Metric]:
        pool = getattr(connections[DEFAULT_DB_ALIAS], "pool", None)
        if pool is None:
            return
        stats: dict[str, Any] = pool.get_stats()
        held = GaugeMetricFamily("realtime_pool_connections", "Connections of the pool", labels=["state"])
        held.add_metric(["free"], stats["pool_available"])
        held.add_metric(["used"], stats["pool_size"] - stats["pool_available"])
        yield held
        yield GaugeMetricFamily("realtime_pool_connections_most", "DATABASE_POOL", value=stats["pool_max"])
        yield GaugeMetricFamily("realtime_pool_waiting", "Who waits for one now", value=stats["requests_waiting"])
        for name, (theirs, unit, says) in COUNTED.items():
            yield CounterMetricFamily(name, says, value=stats.get(theirs, 0) / unit)


def watch() -> None:
    REGISTRY.register(PoolCollector())

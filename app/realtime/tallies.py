"""What the loop's thread alone counts, without the lock that other counters take: a frame has no time for it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily


class Tally:
    """A counter."""

    def __init__(self, name: str, documentation: str) -> None:
        self.name, self.documentation = name, documentation
        self.count = 0
        REGISTRY.register(self)

    def inc(self, by: int = 1) -> None:
        self.count += by

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self.name, self.documentation, value=self.count)


class Spread:
    """A histogram. `bounds` ascend; what is above the last one is counted as well."""

    def __init__(self, name: str, documentation: str, bounds: Sequence[float]) -> None:
        self.name, self.documentation, self.bounds = name, documentation, tuple(map(float, bounds))
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        REGISTRY.register(self)

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        names = [*map(str, self.bounds), "+Inf"]
        buckets = list(zip(names, accumulate(self.counts), strict=True))
        yield HistogramMetricFamily(self.name, self.documentation, buckets=buckets, sum_value=self.total)

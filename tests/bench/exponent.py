"""How a cost grows with what causes it."""

from collections.abc import Sequence
from math import log


def exponent(causes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope through the logarithms of both: 0 where the cost stays, 1 where it doubles with its cause, 2 where
    it grows fourfold. Raises ValueError where a cause or a cost is not above zero.
    """
    xs, ys = [log(cause) for cause in causes], [log(cost) for cost in costs]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    pairs = list(zip(xs, ys, strict=True))
    return sum((x - x_mean) * (y - y_mean) for x, y in pairs) / sum((x - x_mean) ** 2 for x in xs)

"""The slope that tells a cost that stays from one that grows."""

import pytest

from bench.exponent import exponent

FACTORS = [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("costs", "slope"), [([3, 3, 3, 3], 0), ([3, 6, 12, 24], 1), ([1, 4, 16, 64], 2), ([8, 4, 2, 1], -1)]
)
def test_powers_are_found_exactly(costs: list[float], slope: float) -> None:
    assert exponent(FACTORS, costs) == pytest.approx(slope)


def test_noise_is_evened_out() -> None:
    assert exponent(FACTORS, [1.05, 1.95, 4.1, 7.9]) == pytest.approx(1, abs=0.05)


def test_a_cost_of_nothing_has_no_slope() -> None:
    with pytest.raises(ValueError, match=r"math domain|positive"):
        exponent(FACTORS, [0, 1, 2, 3])

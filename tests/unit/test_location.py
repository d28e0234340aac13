"""What a pass takes when nobody disturbs it."""

import math

import numpy as np
import pytest

from perfsuite.stats.location import fastest_half_mean, slowest_quarter_mean


def test_it_is_the_geometric_mean_of_the_faster_half() -> None:
    assert fastest_half_mean([9.0, 2.0, 8.0, 8.0]) == pytest.approx(4.0)
    assert fastest_half_mean([900, 200, 800]) == pytest.approx(200 * math.sqrt(4) ** (2 / 3))
    assert fastest_half_mean([3.0]) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("latencies", "expected"),
    [
        ([9.0, 2.0, 8.0, 4.0], 9.0),
        ([9.0, 2.0, 8.0, 4.0, 1.0], (9.0 * 8.0**0.25) ** (1 / 1.25)),
        ([3.0, 2.0], 3.0),  # never less than one iteration
        ([1.0] * 9 + [4.0], 4 ** (1 / 2.5)),  # every tenth four times as long
        ([1.0] * 99 + [20.0], 20 ** (1 / 25)),  # one stall
    ],
)
def test_the_slowest_quarter(latencies: list[float], expected: float) -> None:
    assert slowest_quarter_mean(latencies) == pytest.approx(expected)


def test_a_burst_in_the_slower_half_does_not_count() -> None:
    assert fastest_half_mean([1.1, 1.1, 1e9, 1.1, 1e9]) == pytest.approx(1.1)


@pytest.mark.parametrize("counts", [(8, 9), (20, 33)])
def test_sides_of_other_counts_have_the_same_middle(counts: tuple[int, int]) -> None:
    """The faster a stack, the more of its iterations fit into a block."""
    draws = np.random.default_rng(0).gamma(1, 0.05, size=(4000, max(counts)))
    one, other = (np.mean([math.log(fastest_half_mean(1 + row[:count])) for row in draws]) for count in counts)
    assert one == pytest.approx(other, abs=1e-3)


def test_beside_neighbours_it_is_more_exact_than_mean_and_median_and_of_normal_noise_little_less() -> None:
    rng = np.random.default_rng(0)

    def spreads(draws: np.ndarray) -> tuple[float, float, float]:
        fastest = np.std([math.log(fastest_half_mean(row)) for row in draws])
        return float(fastest), np.log(draws).mean(axis=1).std(), np.log(np.median(draws, axis=1)).std()

    fastest, mean, median = spreads(1 + rng.gamma(1, 0.05, size=(4000, 20)))
    assert fastest < 0.7 * min(mean, median)
    fastest, mean, _ = spreads(np.exp(rng.normal(0, 0.05, size=(4000, 20))))
    assert fastest < 1.25 * mean

"""The ratio's interval: Welch's, as scipy computes it, and true to its coverage."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from perfsuite.stats.intervals import ratio_interval


def _latencies(seed: int, count: int, spread: float, middle_s: float = 0.02) -> NDArray[np.float64]:
    return middle_s * np.exp(np.random.default_rng(seed).normal(0, spread, count))


@pytest.mark.parametrize("coverage", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("counts", [(2, 2), (2, 7), (5, 3), (30, 4)])
def test_agrees_with_scipy_on_logarithms(counts: tuple[int, int], coverage: float) -> None:
    candidate, baseline = _latencies(1, counts[0], 0.01), _latencies(2, counts[1], 0.1, middle_s=3.0)
    welch = ttest_ind(np.log(candidate), np.log(baseline), equal_var=False).confidence_interval(coverage)
    found = ratio_interval(candidate.tolist(), baseline.tolist(), coverage=coverage)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((math.exp(welch.low), math.exp(welch.high)), rel=1e-9)
    assert found.coverage == coverage


@pytest.mark.parametrize(("candidate", "baseline"), [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([], [])])
def test_one_replicate_has_no_interval(candidate: list[float], baseline: list[float]) -> None:
    assert ratio_interval(candidate, baseline, coverage=0.95) is None


def test_without_variance_the_interval_is_the_ratio() -> None:
    found = ratio_interval([0.03, 0.03], [0.02, 0.02, 0.02], coverage=0.95)
    assert found is not None
    assert found.low == found.high == pytest.approx(1.5)


def test_variance_on_one_side_only_is_enough_for_a_width() -> None:
    found = ratio_interval([0.02, 0.03], [0.02, 0.02], coverage=0.95)
    assert found is not None
    assert found.low < math.sqrt(1.5) < found.high


def test_swapping_the_sides_inverts_the_interval() -> None:
    sides = _latencies(3, 4, 0.02).tolist(), _latencies(4, 6, 0.05).tolist()
    forth = ratio_interval(*sides, coverage=0.95)
    back = ratio_interval(*sides[::-1], coverage=0.95)
    assert forth is not None
    assert back is not None
    assert (forth.low, forth.high) == pytest.approx((1 / back.high, 1 / back.low))


def _share_covered(counts: tuple[int, int], spreads: tuple[float, float], draws: int) -> float:
    """How often the interval holds the true ratio, here 1.1."""
    generator = np.random.default_rng(20240607)
    candidates = 0.022 * np.exp(generator.normal(0, spreads[0], (draws, counts[0])))
    baselines = 0.020 * np.exp(generator.normal(0, spreads[1], (draws, counts[1])))
    intervals = (
        ratio_interval(candidate.tolist(), baseline.tolist(), coverage=0.95)
        for candidate, baseline in zip(candidates, baselines, strict=True)
    )
    return sum(found is not None and found.low <= 1.1 <= found.high for found in intervals) / draws


def test_stated_coverage_holds_with_unequal_variances() -> None:
    draws = 2000
    three_errors = 3 * math.sqrt(0.95 * 0.05 / draws)
    assert _share_covered((6, 10), (0.01, 0.04), draws) == pytest.approx(0.95, abs=three_errors)


def test_two_replicates_a_side_cover_no_less_than_stated() -> None:
    assert _share_covered((2, 2), (0.02, 0.02), 500) >= 0.95

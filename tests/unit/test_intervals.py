"""The intervals of ratios are scipy's, where scipy has the like."""

import math

import numpy as np
import pytest
from scipy import stats

from perfsuite.stats.intervals import Interval, mean_ratio_interval, ratio_interval


@pytest.mark.parametrize("error", [0.5, 0.05, 0.001])
@pytest.mark.parametrize("count", [2, 5, 30])
def test_of_one_sample_it_is_scipy_s_of_the_mean_logarithm(count: int, error: float) -> None:
    log_ratios = np.random.default_rng(count).normal(0.03, 0.01, count)
    expected = stats.ttest_1samp(log_ratios, 0.0).confidence_interval(1 - error)
    found = mean_ratio_interval(log_ratios.tolist(), error=error, coverage=0.95)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert found.coverage == 0.95


@pytest.mark.parametrize("counts", [(2, 2), (2, 7), (5, 3)])
def test_of_two_samples_it_is_scipy_s_with_one_variance(counts: tuple[int, int]) -> None:
    generator = np.random.default_rng(1)
    one, other = (generator.normal(0, 0.02, count) for count in counts)
    expected = stats.ttest_ind(one, other, equal_var=True).confidence_interval(0.95)
    freedom = sum(counts) - 2
    variance = sum(side.var(ddof=1) * (len(side) - 1) for side in (one, other)) / freedom
    found = ratio_interval(
        float(one.mean() - other.mean()),
        squared_error=variance * sum(1 / count for count in counts),
        freedom=freedom,
        error=0.05,
        coverage=0.95,
    )
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize("error", [0.05, 1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("apart", [0.0, 0.01, 0.5, 5.0])
def test_two_ratios_far_apart_have_finite_bounds_at_any_error(apart: float, error: float) -> None:
    """A night of 32 variants leaves so little error for each that their logarithms have no float."""
    found = mean_ratio_interval([0.0, apart], error=error, coverage=0.95)
    assert 0 < found.low <= math.exp(apart / 2) <= found.high < math.inf


def test_where_all_error_is_spent_anything_may_be() -> None:
    found = mean_ratio_interval([0.0, 0.5], error=0.0, coverage=0.95)
    assert 0 < found.low < 1e-5 < 1e5 < found.high < math.inf


def test_bounds_are_cut_at_a_factor_of_a_million() -> None:
    found = Interval.around(math.log(2.0), 1e9, coverage=0.95)
    assert (found.low, found.high) == pytest.approx((2e-6, 2e6))

"""Intervals that may be looked at again and again: true to their coverage, and scipy's where scipy has the like."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from perfsuite.judge.paired import LOOKS
from perfsuite.stats.sequential import Looks, ratio_interval_at

ALONE = Looks(counts=LOOKS, coverage=0.95, comparisons=1)


@pytest.mark.parametrize("error", [0.5, 0.05, 0.001])
@pytest.mark.parametrize("count", [2, 5, 30])
def test_the_interval_is_scipy_s_of_the_mean_logarithm(count: int, error: float) -> None:
    log_ratios = np.random.default_rng(count).normal(0.03, 0.01, count)
    expected = stats.ttest_1samp(log_ratios, 0.0).confidence_interval(1 - error)
    found = ratio_interval_at(log_ratios.tolist(), error, coverage=0.95)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert found.coverage == 0.95


def test_all_looks_together_spend_the_error_and_no_more() -> None:
    spent = [ALONE.error(count) for count in LOOKS]
    assert sum(filter(None, spent)) == pytest.approx(0.05)
    assert [ALONE.error(count) for count in (1, 5, 7, 17)] == [None] * 4


@pytest.mark.parametrize("count", range(2, LOOKS[-1] + 1))
def test_a_last_look_spends_what_is_left(count: int) -> None:
    before = sum(filter(None, (ALONE.error(earlier) for earlier in LOOKS if earlier < count)))
    assert before + ALONE.last_error(count) == pytest.approx(0.05)


def test_the_error_is_shared_by_the_comparisons() -> None:
    shared = Looks(counts=LOOKS, coverage=0.95, comparisons=24)
    for count in LOOKS:
        assert shared.error(count) == pytest.approx((ALONE.error(count) or 0) / 24)


def _missed(paths: NDArray[np.float64], looks: Looks, true: float) -> float:
    """How often any look's interval misses the truth: what somebody who stops where it suits best would see."""
    missed = np.zeros(len(paths), dtype=bool)
    for count in looks.counts:
        seen = paths[:, :count]
        error = looks.error(count)
        assert error is not None
        half_width = stats.t.isf(error / 2, count - 1) * seen.std(axis=1, ddof=1) / math.sqrt(count)
        missed |= np.abs(seen.mean(axis=1) - true) > half_width
    return float(missed.mean())


def test_coverage_holds_under_the_worst_stopping_rule() -> None:
    paths = np.random.default_rng(20261124).normal(0.01, 0.006, (20_000, LOOKS[-1]))
    missed = _missed(paths, ALONE, 0.01)
    # Boole's bound gives some of it away, never more than is allowed.
    assert 0.02 < missed <= 0.05


@pytest.mark.parametrize("share_shifted", [0.1, 0.5])
def test_coverage_holds_for_processes_of_two_kinds(share_shifted: float) -> None:
    """Some processes of either side are 2 % slower, by where their memory lies: ratios are not normal then."""
    generator = np.random.default_rng(7)
    shape = (20_000, LOOKS[-1])
    shift = 0.02 * (generator.random(shape) < share_shifted) - 0.02 * (generator.random(shape) < share_shifted)
    missed = _missed(shift + generator.normal(0, 0.003, shape), ALONE, 0.0)
    assert missed <= 0.05


def test_looking_as_if_each_look_were_the_only_one_misses_far_more() -> None:
    """What the spending is for: plain 95 % intervals, looked at each time, do not cover 95 %."""
    paths = np.random.default_rng(3).normal(0, 1, (20_000, LOOKS[-1]))
    missed = np.zeros(len(paths), dtype=bool)
    for count in LOOKS:
        half_width = stats.t.isf(0.025, count - 1) * paths[:, :count].std(axis=1, ddof=1) / math.sqrt(count)
        missed |= np.abs(paths[:, :count].mean(axis=1)) > half_width
    assert missed.mean() > 0.1

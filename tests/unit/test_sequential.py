"""Intervals that may be looked at again and again: true to their coverage, and scipy's where scipy has the like."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from perfsuite.judge.paired import LOOKS
from perfsuite.stats.sequential import Looks

ALONE = Looks(counts=LOOKS, coverage=0.95, comparisons=1)


def test_all_looks_together_spend_the_error_and_no_more() -> None:
    spent = 0.0
    for count in LOOKS:
        spent += ALONE.error(count, spent) or 0.0
    assert spent == pytest.approx(0.05)
    assert [ALONE.error(count, 0.0) for count in (1, 5, 7, 17)] == [None] * 4


@pytest.mark.parametrize("spent", [0.0, 0.01, 0.049])
def test_a_last_look_leaves_a_tenth_of_the_rest_for_a_run_that_resumes(spent: float) -> None:
    assert spent + ALONE.last_error(spent) == pytest.approx(0.05 - 0.1 * (0.05 - spent))


def test_a_look_whose_error_was_spent_earlier_is_not_taken() -> None:
    spent = ALONE.last_error(0.0)
    assert ALONE.error(8, spent) is None
    assert ALONE.error(24, spent) == pytest.approx(0.05 - spent)


def test_the_error_is_shared_by_the_comparisons() -> None:
    shared = Looks(counts=LOOKS, coverage=0.95, comparisons=24)
    for count in LOOKS:
        assert shared.error(count, 0.0) == pytest.approx((ALONE.error(count, 0.0) or 0) / 24)


def _missed(paths: NDArray[np.float64], looks: Looks, true: float) -> float:
    """How often any look's interval misses the truth: what somebody who stops where it suits best would see."""
    missed, spent = np.zeros(len(paths), dtype=bool), 0.0
    for count in looks.counts:
        error = looks.error(count, spent)
        assert error is not None
        spent += error
        missed |= _misses(paths, count, error, true)
    return float(missed.mean())


def _misses(paths: NDArray[np.float64], count: int, error: float, true: float) -> NDArray[np.bool_]:
    seen = paths[:, :count]
    half_width = stats.t.isf(error / 2, count - 1) * seen.std(axis=1, ddof=1) / math.sqrt(count)
    misses: NDArray[np.bool_] = np.abs(seen.mean(axis=1) - true) > half_width
    return misses


@pytest.mark.parametrize("stops", [(), (5,), (5, 9), (3, 5, 9, 14)])
def test_coverage_holds_however_often_a_run_whose_time_was_over_is_resumed(stops: tuple[int, ...]) -> None:
    """Each stop is a last look, whose interval somebody reads; the run that resumes spends what is left."""
    paths = np.random.default_rng(11).normal(0.0, 0.006, (20_000, LOOKS[-1]))
    missed, spent = np.zeros(len(paths), dtype=bool), 0.0
    for count in range(2, LOOKS[-1] + 1):
        planned = ALONE.error(count, spent)
        for error in (planned, ALONE.last_error(spent + (planned or 0.0)) if count in stops else None):
            if error is not None:
                spent += error
                missed |= _misses(paths, count, error, 0.0)
    assert spent <= 0.05 + 1e-12
    assert missed.mean() <= 0.05


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

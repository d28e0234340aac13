"""Pairs of processes -> a verdict on speed."""

import dataclasses
import math

import numpy as np
import pytest
from compare_builders import PAIRING, pair, side

from perfsuite.judge.paired import judge_pairs, settled
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.stats.intervals import Interval


def _pairs(ratio: float, count: int, spread: float = 0.002) -> list[Pair]:
    """Ratios spread evenly around one, so that the test knows their mean and spread."""
    offsets = np.linspace(-1, 1, count) * spread
    return [pair(ratio * math.exp(offset)) for offset in offsets]


def _judged(pairs: list[Pair], error: float = 0.01) -> Speed:
    return judge_pairs(pairs, error, resolution=0.02)


@pytest.mark.parametrize(
    ("ratio", "spread", "verdict", "reason"),
    [
        (1.0, 0.002, Verdict.UNCHANGED, Reason.WITHIN),
        (1.008, 0.001, Verdict.UNCHANGED, Reason.WITHIN),  # real, and too small to matter
        (1.018, 0.006, Verdict.INCONCLUSIVE, Reason.EDGE),  # real, and perhaps too small
        (1.05, 0.002, Verdict.REGRESSED, Reason.BEYOND),
        (0.95, 0.002, Verdict.IMPROVED, Reason.BEYOND),
        (2.0, 0.002, Verdict.REGRESSED, Reason.BEYOND),
        (1.01, 0.05, Verdict.INCONCLUSIVE, Reason.SPREAD),
        (1.05, 0.2, Verdict.INCONCLUSIVE, Reason.SPREAD),
    ],
)
def test_eight_pairs(ratio: float, spread: float, verdict: Verdict, reason: Reason) -> None:
    found = _judged(_pairs(ratio, 8, spread))
    assert (found.verdict, found.reason, found.observations) == (verdict, reason, 8)
    assert found.ratio == pytest.approx(ratio, rel=1e-6)


@pytest.mark.parametrize("spread", [0.002, 0.1])
def test_the_latencies_of_a_row_divide_to_its_ratio(spread: float) -> None:
    """One estimand a row: whoever divides the two latencies gets the ratio that was judged."""
    noisy = [
        dataclasses.replace(one, candidate=side(100_000_000, 120_000_000, 180_000_000, 400_000_000))
        for one in _pairs(1.1, 6, spread)
    ]
    found = _judged(noisy)
    assert found.candidate_s is not None
    assert found.baseline_s is not None
    assert found.candidate_s / found.baseline_s == pytest.approx(found.ratio, rel=1e-9)


@pytest.mark.parametrize(("few", "many"), [(0.05, 0.001), (0.01, 0.0001)])
def test_less_error_makes_a_wider_interval(few: float, many: float) -> None:
    widths = []
    for error in (few, many):
        interval = _judged(_pairs(1.0, 8), error).interval
        assert interval is not None
        widths.append(interval.high - interval.low)
    assert widths[1] > 1.3 * widths[0]


@pytest.mark.parametrize(
    ("low", "high", "enough"),
    [
        (0.985, 1.015, True),  # all within
        (1.021, 1.2, True),  # all beyond
        (0.5, 0.97, True),
        (1.001, 1.1, False),  # slower, but by 2 %?
        (0.99, 1.03, False),
        (1.012, 1.028, True),  # on the edge, and as narrow as was asked for
    ],
)
def test_when_more_pairs_tell_nothing_that_was_asked_for(low: float, high: float, enough: bool) -> None:
    assert settled(Interval(low=low, high=high, coverage=0.95), 0.02) is enough


def test_a_pair_s_ratio_is_that_of_its_undisturbed_iterations() -> None:
    """A burst of the machine in one block, whichever side it hits, does not count."""
    burst = pair(1.1)
    calm, hit = side(*[100] * 8), side(110, 110, 900, *[110] * 5)
    found = Pair(pairing=burst.pairing, baseline=calm, candidate=hit)
    assert math.exp(found.log_ratio) == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("fast_ratio", "slow_counts", "slow_ratio"),
    [
        (1.0, (4, 3, 4, 3, 4, 3), 2.0),  # a third of the iterations
        (0.9, (4, 3, 4, 3, 4, 3), 2.0),  # the faster halves alone would be an improvement
        (1.0, (1, 2, 1, 1, 2, 1), 4.0),  # every tenth
    ],
)
def test_a_part_of_the_iterations_that_is_far_slower_is_a_regression(
    fast_ratio: float, slow_counts: tuple[int, ...], slow_ratio: float
) -> None:
    fast, slow = round(100_000 * fast_ratio), round(100_000 * slow_ratio)
    candidates = [side(*[fast] * (12 - count), *[slow] * count) for count in slow_counts]
    pairs = [Pair(pairing=PAIRING, baseline=side(*[100_000] * 12), candidate=candidate) for candidate in candidates]
    found = _judged(pairs, 0.05)
    assert found.ratio == pytest.approx(fast_ratio)
    assert (found.verdict, found.reason) == (Verdict.REGRESSED, Reason.SLOW_PART)
    assert found.slow_part is not None
    assert found.slow_part.low > 1.02


def test_a_burst_in_one_pair_is_no_regression_of_its_slow_part() -> None:
    hit = side(*[100_000] * 8, *[200_000] * 4)
    burst = Pair(pairing=PAIRING, baseline=side(*[100_000] * 12), candidate=hit)
    assert _judged([pair(1.0), pair(1.0), burst, pair(1.0)]).verdict is Verdict.UNCHANGED

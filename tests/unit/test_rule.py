"""The one rule: real and large are two questions, and the middle is inconclusive."""

import pytest

from perfsuite.judge.rule import judge_ratio
from perfsuite.records.speed import Reason, Verdict
from perfsuite.stats.intervals import Interval

V, R = Verdict, Reason


def _interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, coverage=0.95)


@pytest.mark.parametrize(
    ("low", "ratio", "high", "verdict", "reason"),
    [
        (0.99, 1.0, 1.01, V.UNCHANGED, R.WITHIN),
        (1.001, 1.01, 1.019, V.UNCHANGED, R.WITHIN),  # real, and known to be too small
        (0.98, 1.0, 1.05, V.INCONCLUSIVE, R.SPREAD),
        (0.9, 1.0, 1.1, V.INCONCLUSIVE, R.SPREAD),
        (0.99, 1.03, 1.07, V.INCONCLUSIVE, R.SPREAD),  # large, and perhaps not real
        (1.001, 1.019, 1.04, V.INCONCLUSIVE, R.EDGE),  # real, and perhaps too small
        (1.001, 1.021, 1.04, V.REGRESSED, R.BEYOND),
        (1.03, 1.05, 1.07, V.REGRESSED, R.BEYOND),
        (0.96, 0.981, 0.999, V.INCONCLUSIVE, R.EDGE),
        (0.96, 0.979, 0.999, V.IMPROVED, R.BEYOND),
        (0.5, 0.6, 0.7, V.IMPROVED, R.BEYOND),
    ],
)
def test_both_bounds_decide(low: float, ratio: float, high: float, verdict: Verdict, reason: Reason) -> None:
    assert judge_ratio(ratio, _interval(low, high), None, matters=1.02) == (verdict, reason)


@pytest.mark.parametrize("ratio", [0.9, 1.0, 1.01])
@pytest.mark.parametrize(("low", "verdict"), [(1.021, V.REGRESSED), (1.019, None)])
def test_a_slow_part_that_is_all_beyond_what_matters_convicts(
    ratio: float, low: float, verdict: Verdict | None
) -> None:
    interval = _interval(ratio * 0.995, ratio * 1.005)
    without, _ = judge_ratio(ratio, interval, None, matters=1.02)
    assert judge_ratio(ratio, interval, _interval(low, 3.0), matters=1.02)[0] is (verdict or without)

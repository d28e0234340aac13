"""What a night knows of its variants' spread, and what speaks for a slowdown."""

import math

import pytest
from scipy import stats

from perfsuite.stats.moderated import Variance
from perfsuite.stats.night import (
    NOTHING,
    NightPlan,
    Sample,
    deviation_bound,
    evidence,
    night_moderation,
    variance_within,
)

PLAN = NightPlan(matters=1.01, fresh_pairs=100)


@pytest.mark.parametrize("log_ratios", [[], [0.02], [0.01, 0.04], [0.0, 0.0, 0.0]])
def test_a_sample_is_its_count_mean_and_squares(log_ratios: list[float]) -> None:
    sample = Sample.of(log_ratios)
    assert sample.count == len(log_ratios)
    assert sample.mean == pytest.approx(sum(log_ratios) / max(len(log_ratios), 1))
    assert sample.squares == pytest.approx(sum((one - sample.mean) ** 2 for one in log_ratios))


@pytest.mark.parametrize(
    ("screened", "fresh", "expected"),
    [
        ([0.0, 0.02], [], Variance(value=2e-4, freedom=1.0)),
        # However far apart the two means are: a suspect's first pairs are higher than its next ones.
        ([0.5, 0.52], [0.0, 0.02, 0.01], Variance(value=4e-4 / 3, freedom=3.0)),
        ([0.5], [0.1], Variance(value=0.0, freedom=0.0)),
    ],
)
def test_a_variance_is_within_the_samples(screened: list[float], fresh: list[float], expected: Variance) -> None:
    found = variance_within(Sample.of(screened), Sample.of(fresh))
    assert found.value == pytest.approx(expected.value)
    assert found.freedom == expected.freedom


def test_the_common_variance_is_not_overrated() -> None:
    own = [Variance(value=2e-4, freedom=3.0)] * 24
    assert night_moderation(own).of(own[0]).freedom == 3.0 + 8.0


@pytest.mark.parametrize(("freedom", "error"), [(1.0, 0.025), (9.0, 1e-6), (11.3, 0.3)])
def test_a_bound_is_student_s(freedom: float, error: float) -> None:
    found = deviation_bound(Variance(value=4e-4, freedom=freedom), 5, error)
    assert found == pytest.approx(float(stats.t.isf(error, freedom)) * 0.02 / math.sqrt(5))


@pytest.mark.parametrize(("freedom", "count"), [(0.0, 5), (3.0, 0)])
def test_nobody_knows_a_bound_without_a_spread_or_a_pair(freedom: float, count: int) -> None:
    assert deviation_bound(Variance(value=0.0, freedom=freedom), count, 0.05) == math.inf


def test_evidence_is_the_ratio_of_likelihoods_of_all_pairs() -> None:
    pairs = [0.03, 0.01, -0.01, 0.02]
    slower, same = (stats.norm(mean, 0.015) for mean in (math.log(1.01**2), 0.0))
    expected = sum(float(slower.logpdf(pair) - same.logpdf(pair)) for pair in pairs)
    for split in (0, 2, 4):
        found = evidence(Sample.of(pairs[:split]), Sample.of(pairs[split:]), Variance(value=2.25e-4, freedom=9), PLAN)
        assert found == pytest.approx(expected)
    assert evidence(Sample.of([0.03]), NOTHING, Variance(value=0.0, freedom=0.0), PLAN) == 0.0


def test_where_all_matters_two_percent_are_sought() -> None:
    assert NightPlan(matters=1.0, fresh_pairs=100).sought == pytest.approx(math.log(1.02))
    assert NightPlan(matters=1.05, fresh_pairs=100).sought == pytest.approx(math.log(1.05**2))


@pytest.mark.parametrize("wrong", [{"matters": 0.01}, {"false_alarm": 0.0}, {"missed": 1.0}, {"matters": float("nan")}])
def test_a_plan_that_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    values = {"matters": 1.01, "false_alarm": 0.01, "missed": 0.05, **wrong}
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NightPlan(
            matters=values["matters"], fresh_pairs=100, false_alarm=values["false_alarm"], missed=values["missed"]
        )

"""Every verdict, where one turns into the next, and what is said of a changed environment."""

import dataclasses

import pytest
from builders import VARIANT, measurement

from perfsuite.judge.stored import COVERAGE, judge
from perfsuite.records.baseline import Baseline, Incomparable, Lack, Missing
from perfsuite.records.measurement import Measurement
from perfsuite.records.speed import Speed, Verdict

#: 100 ms, with a spread between replicates of some 0.1 %.
STEADY_NS = (100_000_000, 100_100_000, 99_900_000)
NOISY_NS = (40_000_000, 100_000_000, 250_000_000)


def _times(factor: float, medians_ns: tuple[int, ...] = STEADY_NS) -> tuple[int, ...]:
    return tuple(round(median_ns * factor) for median_ns in medians_ns)


def _baseline(stored: Measurement) -> Baseline:
    return Baseline(measurement=stored, stack_slug=stored.stack.slug, accepted_at=None)


def _judged(candidate_ns: tuple[int, ...], baseline_ns: tuple[int, ...] = STEADY_NS) -> Speed:
    return judge(measurement(*candidate_ns), _baseline(measurement(*baseline_ns)), regression_ratio=1.25)


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (1.0, Verdict.UNCHANGED),
        (1.249, Verdict.UNCHANGED),
        (1.251, Verdict.REGRESSED),
        (3.0, Verdict.REGRESSED),
        (1 / 1.249, Verdict.UNCHANGED),
        (1 / 1.251, Verdict.IMPROVED),
        (0.3, Verdict.IMPROVED),
    ],
)
def test_verdict_follows_the_ratio(factor: float, verdict: Verdict) -> None:
    found = _judged(_times(factor))
    assert found.verdict is verdict
    assert "1.25" in found.reason
    assert found.ratio == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(("ratio", "verdict"), [(1.25, Verdict.REGRESSED), (1.35, Verdict.UNCHANGED)])
def test_the_ratio_that_fails_is_the_users(ratio: float, verdict: Verdict) -> None:
    found = judge(measurement(*_times(1.3)), _baseline(measurement(*STEADY_NS)), regression_ratio=ratio)
    assert found.verdict is verdict
    assert f"{ratio:g}" in found.reason


@pytest.mark.parametrize("factor", [1.5, 1 / 1.5])
def test_large_but_not_real_is_inconclusive(factor: float) -> None:
    found = _judged(_times(factor, NOISY_NS))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.interval is not None
    assert found.interval.low < 1 < found.interval.high
    assert "--replicates" in found.reason


def test_real_but_not_large_is_unchanged() -> None:
    found = _judged(_times(1.1))
    assert found.verdict is Verdict.UNCHANGED
    assert found.interval is not None
    assert found.interval.low > 1


@pytest.mark.parametrize(("candidate_ns", "baseline_ns"), [((200_000_000,), STEADY_NS), (_times(2.0), (100_000_000,))])
def test_a_single_replicate_never_convicts(candidate_ns: tuple[int, ...], baseline_ns: tuple[int, ...]) -> None:
    found = _judged(candidate_ns, baseline_ns)
    assert (found.verdict, found.interval) == (Verdict.INCONCLUSIVE, None)
    assert "single replicate" in found.reason


def test_a_single_replicate_may_be_unchanged() -> None:
    assert _judged((110_000_000,)).verdict is Verdict.UNCHANGED


def test_ratio_is_that_of_geometric_means() -> None:
    found = _judged((10_000_000, 40_000_000), (10_000_000, 10_000_000))
    assert found.ratio == pytest.approx(2.0)


def test_figures_are_the_medians_of_each_side() -> None:
    found = _judged((1_000_000, 3_000_000, 9_000_000), (2_000_000, 4_000_000, 5_000_000))
    assert (found.candidate_s, found.baseline_s) == pytest.approx((0.003, 0.004))
    assert found.variant == VARIANT
    assert found.interval is not None
    assert found.interval.coverage == COVERAGE


@pytest.mark.parametrize(
    ("baseline", "verdict"),
    [
        (Missing(kind=Lack.NO_CLASS, machine_slug="here"), Verdict.MISSING_BASELINE),
        (Incomparable(fields=()), Verdict.INCOMPARABLE),
    ],
)
def test_without_a_baseline_its_lack_is_handed_on(baseline: Missing | Incomparable, verdict: Verdict) -> None:
    found = judge(measurement(*STEADY_NS), baseline, regression_ratio=1.25)
    assert (found.verdict, found.baseline) == (verdict, baseline)
    assert found.candidate_s == pytest.approx(0.1)
    assert (found.baseline_s, found.ratio, found.interval) == (None, None, None)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_every_changed_variable_is_named(factor: float) -> None:
    candidate = measurement(*_times(factor), environment={"SAME": "1", "NEW": "x", "SET": "2"})
    baseline = dataclasses.replace(candidate, environment={"SAME": "1", "GONE": "y", "SET": "3"})
    reason = judge(candidate, _baseline(baseline), regression_ratio=1.25).reason
    assert "GONE=(unset) here, y in the baseline" in reason
    assert "NEW=x here, (unset) in the baseline" in reason
    assert "SET=2 here, 3 in the baseline" in reason
    assert "SAME" not in reason


def test_an_equal_environment_is_not_mentioned() -> None:
    assert "OMP_NUM_THREADS" not in _judged(STEADY_NS).reason

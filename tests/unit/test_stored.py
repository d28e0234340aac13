"""A session against stored ones: every verdict, where one turns into the next, and what all variants tell together."""

import dataclasses
import math

import numpy as np
import pytest
from builders import VARIANT, baseline, measurement, replicate

from perfsuite.judge.stored import COVERAGE, judge_session
from perfsuite.records.baseline import Baseline, Difference, Incomparable, Lack, Missing
from perfsuite.records.measurement import Measurement
from perfsuite.records.speed import Reason, Speed, Verdict

#: 100 ms, with a spread between replicates of some 0.1 %.
STEADY_NS = (100_000_000, 100_100_000, 99_900_000)
NOISY_NS = (40_000_000, 100_000_000, 250_000_000)
MISSING = Missing(kind=Lack.NO_CLASS, machine_slug="this-machine")
INCOMPARABLE = Incomparable(fields=(Difference(name="weights_sha256", before="a", now="b"),))


def _times(factor: float, medians_ns: tuple[int, ...] = STEADY_NS) -> tuple[int, ...]:
    return tuple(round(median_ns * factor) for median_ns in medians_ns)


def _stored(found: Measurement) -> Baseline:
    return baseline(found)


def _judged(
    candidate: Measurement, baseline: Baseline | Missing | Incomparable, regression_ratio: float = 1.25
) -> Speed:
    return judge_session({VARIANT: candidate}, lambda _: baseline, regression_ratio=regression_ratio)[VARIANT]


def _speed(candidate_ns: tuple[int, ...], baseline_ns: tuple[int, ...] = STEADY_NS) -> Speed:
    return _judged(measurement(*candidate_ns), _stored(measurement(*baseline_ns)))


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (1.0, Verdict.UNCHANGED),
        (1.1, Verdict.UNCHANGED),
        (1.2499, Verdict.INCONCLUSIVE),  # the interval reaches beyond
        (1.251, Verdict.REGRESSED),
        (3.0, Verdict.REGRESSED),
        (1 / 1.2499, Verdict.INCONCLUSIVE),
        (1 / 1.251, Verdict.IMPROVED),
        (0.3, Verdict.IMPROVED),
    ],
)
def test_verdict_follows_ratio_and_interval(factor: float, verdict: Verdict) -> None:
    found = _speed(_times(factor))
    assert found.verdict is verdict
    assert found.ratio == pytest.approx(factor, rel=1e-6)
    assert found.interval is not None
    assert found.interval.coverage == COVERAGE


@pytest.mark.parametrize(("ratio", "verdict"), [(1.25, Verdict.REGRESSED), (1.35, Verdict.UNCHANGED)])
def test_the_ratio_that_fails_is_the_users(ratio: float, verdict: Verdict) -> None:
    found = _judged(measurement(*_times(1.3)), _stored(measurement(*STEADY_NS)), ratio)
    assert (found.verdict, found.matters) == (verdict, ratio)


@pytest.mark.parametrize("factor", [1.0, 1.5, 1 / 1.5])
def test_what_differs_too_much_is_inconclusive_and_not_unchanged(factor: float) -> None:
    found = _speed(_times(factor, NOISY_NS))
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, Reason.SPREAD)


@pytest.mark.parametrize(
    ("factor", "verdict", "reason"),
    [
        (1.0, Verdict.INCONCLUSIVE, Reason.SINGLE),
        (1.3, Verdict.INCONCLUSIVE, Reason.SINGLE),
        (1.99, Verdict.INCONCLUSIVE, Reason.SINGLE),
        (2.01, Verdict.REGRESSED, Reason.FAR_BEYOND),
        (0.49, Verdict.IMPROVED, Reason.FAR_BEYOND),
    ],
)
def test_one_replicate_a_side_convicts_only_from_afar(factor: float, verdict: Verdict, reason: Reason) -> None:
    found = _speed((round(100_000_000 * factor),), (100_000_000,))
    assert (found.verdict, found.reason, found.interval) == (verdict, reason, None)


def test_the_ratio_is_that_of_the_two_latencies() -> None:
    found = _speed((1_000_000, 3_000_000, 9_000_000), (2_000_000, 4_000_000, 8_000_000))
    assert (found.candidate_s, found.baseline_s) == pytest.approx((0.003, 0.004))
    assert found.ratio == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("baseline", "verdict", "reason"),
    [
        (MISSING, Verdict.MISSING_BASELINE, Reason.NO_BASELINE),
        (INCOMPARABLE, Verdict.INCOMPARABLE, Reason.OTHER_DATA),
    ],
)
def test_without_a_baseline_its_lack_is_handed_on(
    baseline: Missing | Incomparable, verdict: Verdict, reason: Reason
) -> None:
    found = _judged(measurement(*STEADY_NS), baseline)
    assert (found.verdict, found.reason, found.baseline) == (verdict, reason, baseline)
    assert found.candidate_s == pytest.approx(0.1, rel=1e-3)
    assert (found.baseline_s, found.ratio, found.interval) == (None, None, None)


def test_every_tenth_pass_four_times_as_long_is_a_regression() -> None:
    """Medians and faster halves are equal: +30 % in the mean was green."""
    calm = [replicate(*[100 + number] * 40) for number in range(3)]
    stalling = [replicate(*[100 + number] * 36, *[4 * (100 + number)] * 4) for number in range(3)]
    found = _judged(
        measurement(replicates=tuple(stalling)),
        _stored(measurement(replicates=tuple(calm))),
    )
    assert found.ratio == pytest.approx(1.0)
    assert (found.verdict, found.reason) == (Verdict.REGRESSED, Reason.SLOW_PART)


def test_what_many_variants_tell_together_narrows_each_interval() -> None:
    """Two replicates a side know little of their spread; those of 24 variants know it well."""
    generator = np.random.default_rng(5)
    variants = [dataclasses.replace(VARIANT, model=f"model-{number}") for number in range(24)]

    def session() -> dict[object, Measurement]:
        return {
            variant: measurement(*(round(1e8 * math.exp(x)) for x in generator.normal(0, 0.03, 2)), variant=variant)
            for variant in variants
        }

    now, before = session(), session()

    def widths(chosen: list[object]) -> list[float]:
        found = judge_session(
            {variant: now[variant] for variant in chosen},  # type: ignore[misc]
            lambda one: _stored(before[one.variant]),
            regression_ratio=1.25,
        )
        return [math.log(one.interval.high / one.interval.low) for one in found.values() if one.interval]

    alone = [widths([variant])[0] for variant in variants]
    together = widths(list(variants))
    assert np.mean(together) < 0.7 * np.mean(alone)
    assert max(together) < 0.7 * max(alone)

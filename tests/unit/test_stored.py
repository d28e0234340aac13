"""A session against stored ones: every verdict, where one turns into the next, and what all variants tell together."""

import dataclasses
import math

import numpy as np
import pytest
from builders import VARIANT, baseline, measurement, replicate

from perfsuite.judge.stored import COVERAGE, Suspects, common_drift, judge_session, suspects
from perfsuite.records.baseline import Baseline, Difference, Incomparable, Lack, Missing
from perfsuite.records.measurement import Measurement
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.spec import Variant

#: 100 ms, with a spread between replicates of some 0.1 %.
STEADY_NS = (100_000_000, 100_100_000, 99_900_000)
MISSING = Missing(kind=Lack.NO_CLASS, machine_slug="this-machine")
INCOMPARABLE = Incomparable(fields=(Difference(name="weights_sha256", before="a", now="b"),))


def _times(factor: float, medians_ns: tuple[int, ...] = STEADY_NS) -> tuple[int, ...]:
    return tuple(round(median_ns * factor) for median_ns in medians_ns)


def _stored(found: Measurement) -> Baseline:
    """Three sessions that agree."""
    return baseline(found, found, found)


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
    restless = baseline(*(measurement(*_times(one)) for one in (0.4, 1.0, 2.5)))
    found = _judged(measurement(*_times(factor)), restless)
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
    found = _judged(measurement(round(100_000_000 * factor)), baseline(measurement(100_000_000)))
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
    """Three sessions know little of their spread; those of 24 variants know it well."""
    generator = np.random.default_rng(5)
    variants = [dataclasses.replace(VARIANT, model=f"model-{number}") for number in range(24)]

    def session() -> dict[Variant, Measurement]:
        return {
            variant: measurement(
                *(round(1e8 * math.exp(x)) for x in generator.normal(generator.normal(0, 0.05), 0.02, 2)),
                variant=variant,
            )
            for variant in variants
        }

    now, before = session(), [session() for _ in range(3)]

    def widths(chosen: list[Variant]) -> list[float]:
        found = judge_session(
            {variant: now[variant] for variant in chosen},
            lambda one: baseline(*(stored[one.variant] for stored in before)),
            regression_ratio=1.25,
        )
        return [math.log(one.interval.high / one.interval.low) for one in found.values() if one.interval]

    alone = [widths([variant])[0] for variant in variants]
    together = widths(variants)
    assert np.mean(together) < 0.7 * np.mean(alone)
    assert max(together) < 0.7 * max(alone)


@pytest.mark.parametrize("factors", [(1.0,), (1.0, 1.0)], ids=["one", "two"])
def test_of_few_sessions_a_spread_is_assumed(factors: tuple[float, ...]) -> None:
    """Replicates of one hour agree to 0.1 %, and 8 % of another day's are nothing yet."""
    stored = baseline(*(measurement(*_times(factor)) for factor in factors))
    found = _judged(measurement(*_times(1.08)), stored)
    assert found.interval is not None
    assert found.interval.low < 1 < 1.08 < found.interval.high < 1.25
    assert found.verdict is Verdict.UNCHANGED


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [((1.0, 1.001, 0.999), Verdict.REGRESSED), ((0.8, 1.0, 1.3), Verdict.INCONCLUSIVE)],
    ids=["quiet", "restless"],
)
def test_how_much_sessions_differ_decides(factors: tuple[float, ...], verdict: Verdict) -> None:
    stored = baseline(*(measurement(*_times(factor)) for factor in factors))
    found = _judged(measurement(*_times(1.3)), stored)
    assert found.verdict is verdict
    assert found.baseline_s == pytest.approx(0.1 * math.prod(factors) ** (1 / 3), rel=1e-3)


#: Fast, steady, slower by 5 %, by 10 %, and with a tenth of its passes four times as long.
FACTORS = {"faster": 0.9, "steady": 1.0, "slower": 1.05, "slowest": 1.1, "stalling": 1.0}


def _names(variants: tuple[Variant, ...]) -> list[str]:
    return [variant.model for variant in variants]


def _suspects(matters: float, sessions: int = 3) -> tuple[list[str], list[str]]:
    """Of variants whose sessions differ by 1 %; those that may be slower, and those that seem faster."""
    now, stored = {}, {}
    for name, factor in FACTORS.items():
        variant = dataclasses.replace(VARIANT, model=name)
        tail = 4 if name == "stalling" else 1
        level = round(1e6 * factor)
        replicates = tuple(replicate(*[level + one] * 36, *[tail * (level + one)] * 4) for one in (0, 1000))
        now[variant] = measurement(variant=variant, replicates=replicates)
        moments = (1.0, 1.01, 0.99)[:sessions]
        stored[variant] = baseline(
            *(measurement(*_times(one, (1_000_000, 1_001_000)), variant=variant) for one in moments)
        )
    speeds = judge_session(now, lambda one: stored[one.variant], regression_ratio=1.25)
    found = suspects(now, speeds, matters=lambda _: matters)
    return _names(found.slower), _names(found.faster)


@pytest.mark.parametrize(
    ("matters", "sessions", "slower", "faster"),
    [
        (1.02, 3, ["stalling", "slowest", "slower"], ["faster"]),
        (1.07, 3, ["stalling", "slowest"], ["faster"]),
        (1.2, 3, ["stalling"], []),
        (1.02, 1, ["stalling", "slowest", "slower", "steady"], []),
    ],
    ids=["two-percent", "seven-percent", "twenty-percent", "one-session"],
)
def test_suspects_are_what_may_be_slower_the_most_suspicious_first(
    matters: float, sessions: int, slower: list[str], faster: list[str]
) -> None:
    assert _suspects(matters, sessions) == (slower, faster)


@pytest.mark.parametrize(
    ("factor", "slower", "faster"), [(1.9, 0, 0), (2.1, 1, 0), (0.4, 0, 1)], ids=["near", "far", "far-faster"]
)
def test_one_replicate_a_side_is_suspect_only_from_afar(factor: float, slower: int, faster: int) -> None:
    now = {VARIANT: measurement(round(100_000_000 * factor))}
    speeds = judge_session(now, lambda _: baseline(measurement(100_000_000)), regression_ratio=1.25)
    found = suspects(now, speeds, matters=lambda _: 1.02)
    assert (len(found.slower), len(found.faster)) == (slower, faster)


def test_what_has_no_baseline_is_no_suspect() -> None:
    now = {VARIANT: measurement(*STEADY_NS)}
    speeds = judge_session(now, lambda _: MISSING, regression_ratio=1.25)
    assert suspects(now, speeds, matters=lambda _: 1.02) == Suspects()


def test_the_common_drift_is_that_of_most_variants() -> None:
    speeds = [_speed(_times(factor)) for factor in (0.5, 1.08, 1.1, 1.12, 3.0)]
    assert common_drift(speeds) == pytest.approx(math.log(1.1), rel=1e-3)
    assert common_drift([_judged(measurement(*STEADY_NS), MISSING)]) == 0

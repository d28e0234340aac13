"""A session's measurements x their baselines -> a verdict on the speed of each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from perfsuite.judge.rule import judge_ratio
from perfsuite.records.baseline import Baseline, Incomparable, Missing
from perfsuite.records.measurement import Measurement, Replicate
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.spec import Variant
from perfsuite.stats.intervals import Interval, ratio_interval
from perfsuite.stats.moderated import Variance, moderated

#: The customary 95 %. Replicates of one session see one machine state, so the interval knows
#: nothing of drift between sessions: that is what the regression ratio allows for.
COVERAGE = 0.95
#: The part of the error that goes to the slowest quarters, as in ``paired``.
_SLOW_PART_SHARE = 0.1
#: From this ratio on one replicate a side convicts: the slowest of 19 sessions of one process took 1.6 times
#: the median (resnet50 FP32 on an idle machine, 61 against 38 ms), and less is nobody's to tell.
SINGLE_RATIO = 2.0

#: What a measurement is to be held against.
Find = Callable[[Measurement], Baseline | Missing | Incomparable]


def judge_session(
    measurements: Mapping[Variant, Measurement], find: Find, *, regression_ratio: float
) -> dict[Variant, Speed]:
    """Each measurement against what ``find`` finds for it; how much replicates vary, all of them tell together."""
    baselines = {variant: find(measurement) for variant, measurement in measurements.items()}
    judged = {
        variant: (measurements[variant], baseline)
        for variant, baseline in baselines.items()
        if isinstance(baseline, Baseline)
    }
    error = 1 - COVERAGE
    intervals = _intervals(judged.values(), _latency_s, error * (1 - _SLOW_PART_SHARE))
    slow_parts = _intervals(judged.values(), _slow_latency_s, error * _SLOW_PART_SHARE)
    both = dict(zip(judged, zip(intervals, slow_parts, strict=True), strict=True))
    return {
        variant: _against(measurements[variant], baseline, *both[variant], regression_ratio)
        if isinstance(baseline, Baseline)
        else _without(measurements[variant], baseline, regression_ratio)
        for variant, baseline in baselines.items()
    }


def _against(
    candidate: Measurement,
    baseline: Baseline,
    interval: Interval | None,
    slow_part: Interval | None,
    regression_ratio: float,
) -> Speed:
    ratio = candidate.latency_s / baseline.measurement.latency_s
    if interval is None:
        verdict, reason = _judge_single(ratio, max(regression_ratio, SINGLE_RATIO))
    else:
        verdict, reason = judge_ratio(ratio, interval, slow_part, matters=regression_ratio)
    return Speed(
        variant=candidate.variant,
        verdict=verdict,
        reason=reason,
        matters=regression_ratio,
        observations=len(candidate.replicates),
        candidate_s=candidate.latency_s,
        baseline_s=baseline.measurement.latency_s,
        ratio=ratio,
        interval=interval,
        slow_part=slow_part,
        baseline=baseline,
    )


def _without(candidate: Measurement, baseline: Missing | Incomparable, regression_ratio: float) -> Speed:
    missing = isinstance(baseline, Missing)
    return Speed(
        variant=candidate.variant,
        verdict=Verdict.MISSING_BASELINE if missing else Verdict.INCOMPARABLE,
        reason=Reason.NO_BASELINE if missing else Reason.OTHER_DATA,
        matters=regression_ratio,
        observations=len(candidate.replicates),
        candidate_s=candidate.latency_s,
        baseline=baseline,
    )


def _judge_single(ratio: float, convicts_from: float) -> tuple[Verdict, Reason]:
    """What one replicate a side shows: nothing, unless they are further apart than sessions ever were."""
    if ratio > convicts_from:
        return Verdict.REGRESSED, Reason.FAR_BEYOND
    if ratio < 1 / convicts_from:
        return Verdict.IMPROVED, Reason.FAR_BEYOND
    return Verdict.INCONCLUSIVE, Reason.SINGLE


def _latency_s(replicate: Replicate) -> float:
    return replicate.latency_s


def _slow_latency_s(replicate: Replicate) -> float:
    return replicate.slow_latency_s


def _intervals(
    judged: Iterable[tuple[Measurement, Baseline]], latency_s: Callable[[Replicate], float], error: float
) -> list[Interval | None]:
    """Of each ratio of geometric means; None where nobody knows how much replicates vary."""
    sides = [
        [[math.log(latency_s(replicate)) for replicate in side.replicates] for side in (one, other.measurement)]
        for one, other in judged
    ]
    variances = moderated([_variance(pair) for pair in sides])
    return [_interval(pair, variance, error) for pair, variance in zip(sides, variances, strict=True)]


def _variance(sides: Sequence[Sequence[float]]) -> Variance:
    """Within the sides, ddof 1 each, their squares added up: replicates of one variant vary alike in two sessions."""
    freedom = sum(len(side) - 1 for side in sides)
    squares = sum(statistics.variance(side) * (len(side) - 1) for side in sides if len(side) > 1)
    return Variance(value=squares / freedom if freedom else 0.0, freedom=float(freedom))


def _interval(sides: Sequence[Sequence[float]], variance: Variance, error: float) -> Interval | None:
    """Student's t-interval; a single replicate a side is not enough, though others tell how much it may vary."""
    if variance.freedom == 0 or all(len(side) == 1 for side in sides):
        return None
    return ratio_interval(
        statistics.fmean(sides[0]) - statistics.fmean(sides[1]),
        squared_error=variance.value * sum(1 / len(side) for side in sides),
        freedom=variance.freedom,
        error=error,
        coverage=COVERAGE,
    )

"""A session's measurements x their baselines' sessions -> a verdict on the speed of each, and what is suspect."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from perfsuite.judge.rule import judge_ratio
from perfsuite.records.baseline import Baseline, Incomparable, Missing
from perfsuite.records.measurement import Measurement, Replicate
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.spec import Variant
from perfsuite.stats.between import LogRatio, Sides, log_ratios
from perfsuite.stats.intervals import Interval

#: The customary 95 %.
COVERAGE = 0.95
#: The part of the error that goes to the slowest quarters, as in ``paired``.
_SLOW_PART_SHARE = 0.1
#: From this ratio on one replicate a side convicts: the slowest of 19 sessions of one process took 1.6 times
#: the median (resnet50 FP32 on an idle machine, 61 against 38 ms), and less is nobody's to tell.
SINGLE_RATIO = 2.0
#: With what probability a variant that is slower by just what matters is no suspect. Simulated (``stats/between``):
#: with 0.05 nine of ten variants are suspects where sessions vary by 5 %, with 0.2 seven, and of slowdowns of 10 %
#: 2 in 100 are missed.
MISSED = 0.2
#: With what probability a variant that is no faster seems so: an improvement is good news, and worth no night's pairs
#: unless it is likely (judgement: one in twenty).
SEEMING = 0.05

#: What a measurement is to be held against.
Find = Callable[[Measurement], Baseline | Missing | Incomparable]


def judge_session(
    measurements: Mapping[Variant, Measurement], find: Find, *, regression_ratio: float
) -> dict[Variant, Speed]:
    """Each measurement against what ``find`` finds for it; how much sessions and replicates vary, all tell together."""
    baselines = {variant: find(measurement) for variant, measurement in measurements.items()}
    judged = {
        variant: (measurements[variant], baseline)
        for variant, baseline in baselines.items()
        if isinstance(baseline, Baseline)
    }
    ratios = _log_ratios(judged.values(), _latency_s)
    slow_ratios = _log_ratios(judged.values(), _slow_latency_s)
    intervals = {
        variant: (_interval(ratio, 1 - _SLOW_PART_SHARE), _interval(slow_ratio, _SLOW_PART_SHARE))
        for variant, ratio, slow_ratio in zip(judged, ratios, slow_ratios, strict=True)
    }
    return {
        variant: _against(measurements[variant], baseline, *intervals[variant], regression_ratio)
        if isinstance(baseline, Baseline)
        else _without(measurements[variant], baseline, regression_ratio)
        for variant, baseline in baselines.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """The variants that stored sessions raise suspicion of, the most suspicious first."""

    slower: tuple[Variant, ...] = ()
    faster: tuple[Variant, ...] = ()


def suspects(
    measurements: Mapping[Variant, Measurement],
    speeds: Mapping[Variant, Speed],
    *,
    matters: Callable[[Variant], float],
) -> Suspects:
    """What may be slower by what ``matters`` (a ratio above 1), and what seems faster by it.

    One may be slower until a permissive bound excludes it, or where the slowest quarter of its iterations is; it
    seems faster where a strict bound says so. Where nobody knows how much replicates vary, the verdict counts.
    """
    judged = {
        variant: (measurements[variant], speed.baseline)
        for variant, speed in speeds.items()
        if isinstance(speed.baseline, Baseline)
    }
    found = dict(zip(judged, _log_ratios(judged.values(), _latency_s), strict=True))
    slow_parts = dict(zip(judged, _log_ratios(judged.values(), _slow_latency_s), strict=True))

    def suspicion(variant: Variant) -> float:
        ratio, slow_part = found[variant], slow_parts[variant]
        if ratio is None or slow_part is None:
            return math.log(speeds[variant].ratio or 1.0) * math.inf
        return max(ratio.errors, slow_part.errors) if _is_slow_part(speeds[variant], matters(variant)) else ratio.errors

    slower = [one for one in judged if may_be_slower(speeds[one], found[one], matters(one))]
    faster = [one for one in judged if one not in slower and seems_faster(speeds[one], found[one], matters(one))]
    return Suspects(
        slower=tuple(sorted(slower, key=suspicion, reverse=True)), faster=tuple(sorted(faster, key=suspicion))
    )


def may_be_slower(speed: Speed, ratio: LogRatio | None, matters: float) -> bool:
    """Whether it may be slower by what matters, as far as stored sessions tell."""
    if _is_slow_part(speed, matters):
        return True
    return speed.verdict is Verdict.REGRESSED if ratio is None else ratio.upper(MISSED) >= math.log(matters)


def seems_faster(speed: Speed, ratio: LogRatio | None, matters: float) -> bool:
    """Whether it is likely to be faster, and by more than what matters as it was measured."""
    if ratio is None:
        return speed.verdict is Verdict.IMPROVED
    return ratio.upper(SEEMING) < 0 and ratio.value < -math.log(matters)


def _is_slow_part(speed: Speed, matters: float) -> bool:
    return speed.slow_part is not None and speed.slow_part.low > matters


def common_drift(speeds: Iterable[Speed]) -> float:
    """What most variants moved by, as the median logarithm of their ratios: above 0 they are slower; 0 of none.

    For words alone: a stack may slow all variants down, and that is no drift of the machine.
    """
    ratios = [math.log(speed.ratio) for speed in speeds if speed.ratio is not None]
    return statistics.median(ratios) if ratios else 0.0


def _against(
    candidate: Measurement,
    baseline: Baseline,
    interval: Interval | None,
    slow_part: Interval | None,
    regression_ratio: float,
) -> Speed:
    ratio = candidate.latency_s / baseline.latency_s
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
        baseline_s=baseline.latency_s,
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


def _log_ratios(
    judged: Iterable[tuple[Measurement, Baseline]], latency_s: Callable[[Replicate], float]
) -> list[LogRatio | None]:
    return log_ratios(
        [
            Sides(
                candidate=_logs(measurement, latency_s),
                sessions=[_logs(one.measurement, latency_s) for one in baseline.accepted],
            )
            for measurement, baseline in judged
        ]
    )


def _logs(measurement: Measurement, latency_s: Callable[[Replicate], float]) -> Sequence[float]:
    return [math.log(latency_s(replicate)) for replicate in measurement.replicates]


def _interval(ratio: LogRatio | None, share: float) -> Interval | None:
    """With its share of the error; None where nobody knows how much replicates vary."""
    return ratio.interval(error=(1 - COVERAGE) * share, coverage=COVERAGE) if ratio else None

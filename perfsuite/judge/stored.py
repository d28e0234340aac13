"""Measurement x baseline -> Speed."""

from __future__ import annotations

import math
import statistics

from perfsuite.records.baseline import Baseline, Incomparable, Missing
from perfsuite.records.measurement import Measurement
from perfsuite.records.speed import Speed, Verdict
from perfsuite.stats.intervals import ratio_interval

#: The customary 95 %. Replicates of one session see one machine state, so the interval knows
#: nothing of drift between sessions: that is what the regression ratio allows for.
COVERAGE = 0.95


def judge(candidate: Measurement, found: Baseline | Missing | Incomparable, *, regression_ratio: float) -> Speed:
    """Slower is regressed if it is both real (the interval excludes 1) and large (beyond the ratio)."""
    if not isinstance(found, Baseline):
        verdict = Verdict.MISSING_BASELINE if isinstance(found, Missing) else Verdict.INCOMPARABLE
        return Speed(
            variant=candidate.variant, verdict=verdict, reason="", candidate_s=candidate.latency_s, baseline=found
        )
    baseline = found.measurement
    medians = [[r.median_s for r in side.replicates] for side in (candidate, baseline)]
    ratio = math.exp(statistics.fmean(map(math.log, medians[0])) - statistics.fmean(map(math.log, medians[1])))
    interval = ratio_interval(*medians, coverage=COVERAGE)
    if 1 / regression_ratio <= ratio <= regression_ratio:
        verdict, reason = Verdict.UNCHANGED, f"within a factor of {regression_ratio:g}"
    elif interval is None:
        verdict = Verdict.INCONCLUSIVE
        reason = "a single replicate does not show how much replicates differ; measure with --replicates 2 or more"
    elif interval.low <= 1 <= interval.high:
        verdict, reason = Verdict.INCONCLUSIVE, "replicates differ too much; measure with more --replicates"
    elif ratio > 1:
        verdict, reason = Verdict.REGRESSED, f"slower than its baseline by more than a factor of {regression_ratio:g}"
    else:
        verdict, reason = Verdict.IMPROVED, f"faster than its baseline by more than a factor of {regression_ratio:g}"
    changed = _environment_changes(baseline, candidate)
    return Speed(
        variant=candidate.variant,
        verdict=verdict,
        reason=f"{reason}; {changed}" if changed else reason,
        candidate_s=candidate.latency_s,
        baseline_s=baseline.latency_s,
        ratio=ratio,
        interval=interval,
        baseline=found,
    )


def _environment_changes(baseline: Measurement, candidate: Measurement) -> str:
    """Variables that decide speed and are set otherwise than when the baseline was measured."""
    before, now = baseline.environment, candidate.environment
    changes = [
        f"{name}={now.get(name, '(unset)')} here, {before.get(name, '(unset)')} in the baseline"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    return "; ".join(changes)

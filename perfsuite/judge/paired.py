"""The log-ratios of pairs -> a verdict, or the wish for more pairs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from perfsuite.records.pair import Pair
from perfsuite.records.speed import Speed, Verdict
from perfsuite.stats.intervals import Interval
from perfsuite.stats.sequential import Looks, ratio_interval_at

#: Looks after so many pairs. Four are the fewest whose spread says something; from one to the next
#: the interval gets some 15 to 25 % narrower, which is worth the share of the error it costs.
LOOKS = (4, 6, 8, 12, 16, 24)
#: The customary 95 %, of all the intervals of a comparison together.
COVERAGE = 0.95
#: The part of the allowed error that goes to the slower halves of the iterations (judgement: a tenth
#: makes the ratio's own interval 4 % wider after four pairs, 1 % after twelve).
_SLOW_HALF_SHARE = 0.1


def judge_pairs(pairs: Sequence[Pair], looks: Looks, *, resolution: float, last: bool = False) -> Speed | None:
    """What the pairs of one pairing show; None if they do not yet, and another look may.

    Slower is regressed if it is real (the interval excludes 1) and large enough to matter (the
    ratio is beyond ``resolution``); so it is where the slower half of the iterations is, all its interval
    beyond ``resolution``, however fast the other half. ``last`` says that there will be no more pairs.
    """
    count = len(pairs)
    error = looks.last_error(count) if last else looks.error(count)
    if error is None:
        return None
    log_ratios = [pair.log_ratio for pair in pairs]
    interval = ratio_interval_at(log_ratios, error * (1 - _SLOW_HALF_SHARE), coverage=looks.coverage)
    ratio = math.exp(statistics.fmean(log_ratios))
    if not last and not settled(interval, resolution):
        return None
    verdict, reason = _verdict(ratio, interval, resolution)
    slow_half = ratio_interval_at(
        [pair.slow_half_log_ratio for pair in pairs], error * _SLOW_HALF_SHARE, coverage=looks.coverage
    )
    if verdict is not Verdict.REGRESSED and slow_half.low > 1 + resolution:
        verdict = Verdict.REGRESSED
        times = f"{slow_half.low:.2f} to {slow_half.high:.2f} times"
        reason = f"{reason}; but the slower half of its iterations is {times} as slow"
    return Speed(
        variant=pairs[0].pairing.candidate,
        verdict=verdict,
        reason=f"{reason}; {count} pairs",
        candidate_s=statistics.median(pair.candidate.replicate.median_s for pair in pairs),
        baseline_s=statistics.median(pair.baseline.replicate.median_s for pair in pairs),
        ratio=ratio,
        interval=interval,
    )


def settled(interval: Interval, resolution: float) -> bool:
    """Whether more pairs would tell nothing that was asked for.

    It lies all within the resolution, all beyond it, or is so narrow that its place no longer matters.
    """
    low, high, bound = math.log(interval.low), math.log(interval.high), math.log1p(resolution)
    inside = -bound <= low and high <= bound
    outside = low >= bound or high <= -bound
    return inside or outside or high - low <= bound


def _verdict(ratio: float, interval: Interval, resolution: float) -> tuple[Verdict, str]:
    real = not interval.low <= 1 <= interval.high
    large = not 1 / (1 + resolution) <= ratio <= 1 + resolution
    if real and large:
        return (Verdict.REGRESSED, "slower") if ratio > 1 else (Verdict.IMPROVED, "faster")
    if interval.low >= 1 / (1 + resolution) and interval.high <= 1 + resolution:
        return Verdict.UNCHANGED, f"within {resolution:.1%}"
    if real:
        word = "slower" if ratio > 1 else "faster"
        return Verdict.UNCHANGED, f"{word}, though by less than {resolution:.1%} as far as can be told"
    return Verdict.INCONCLUSIVE, f"the interval reaches from 1 beyond {resolution:.1%}: pairs differ too much"

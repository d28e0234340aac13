"""The log-ratios of pairs -> a verdict, or the wish for more pairs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from perfsuite.judge.rule import judge_ratio
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Speed
from perfsuite.stats.intervals import Interval, mean_ratio_interval

#: Looks after so many pairs. Four are the fewest whose spread says something; from one to the next
#: the interval gets some 15 to 25 % narrower, which is worth the share of the error it costs.
LOOKS = (4, 6, 8, 12, 16, 24)
#: The customary 95 %, of all the intervals of a comparison together.
COVERAGE = 0.95
#: The part of the allowed error that goes to the slower quarters of the iterations (judgement: a tenth
#: makes the ratio's own interval 4 % wider after four pairs, 1 % after twelve).
_SLOW_PART_SHARE = 0.1


def judge_pairs(pairs: Sequence[Pair], error: float, *, resolution: float, coverage: float = COVERAGE) -> Speed:
    """What at least two pairs of one pairing show, by intervals that may miss the truth with ``error``."""
    log_ratios = [pair.log_ratio for pair in pairs]
    interval = mean_ratio_interval(log_ratios, error=error * (1 - _SLOW_PART_SHARE), coverage=coverage)
    slow_log_ratios = [pair.slow_quarter_log_ratio for pair in pairs]
    slow_part = mean_ratio_interval(slow_log_ratios, error=error * _SLOW_PART_SHARE, coverage=coverage)
    ratio = math.exp(statistics.fmean(log_ratios))
    verdict, reason = judge_ratio(ratio, interval, slow_part, matters=1 + resolution)
    return Speed(
        variant=pairs[0].pairing.candidate,
        verdict=verdict,
        reason=reason,
        matters=1 + resolution,
        observations=len(pairs),
        candidate_s=statistics.geometric_mean(pair.candidate.latency_s for pair in pairs),
        baseline_s=statistics.geometric_mean(pair.baseline.latency_s for pair in pairs),
        ratio=ratio,
        interval=interval,
        slow_part=slow_part,
    )


def settled(interval: Interval, resolution: float) -> bool:
    """Whether more pairs would tell nothing that was asked for.

    It lies all within the resolution, all beyond it, or is so narrow that its place no longer matters.
    """
    low, high, bound = math.log(interval.low), math.log(interval.high), math.log1p(resolution)
    inside = -bound <= low and high <= bound
    outside = low >= bound or high <= -bound
    return inside or outside or high - low <= bound

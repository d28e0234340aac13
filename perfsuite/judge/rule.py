"""The one rule that turns a ratio into a verdict."""

from __future__ import annotations

from perfsuite.records.speed import Reason, Verdict
from perfsuite.stats.intervals import Interval


def judge_ratio(
    ratio: float, interval: Interval, slow_part: Interval | None, *, matters: float
) -> tuple[Verdict, Reason]:
    """Real and large are two questions, and the middle between yes and no is inconclusive.

    Regressed or improved is what is real (the whole interval lies beyond 1) and large (the ratio lies
    beyond ``matters``, such as 1.02). Unchanged is what is known to be small: the whole interval lies
    within ``matters``. Regressed too is what is slower in its slower part, all of that part's interval beyond
    ``matters``: it is wider, and of it more is asked.
    """
    if interval.low > 1 and ratio > matters:
        return Verdict.REGRESSED, Reason.BEYOND
    if slow_part is not None and slow_part.low > matters:
        return Verdict.REGRESSED, Reason.SLOW_PART
    if interval.high < 1 and ratio < 1 / matters:
        return Verdict.IMPROVED, Reason.BEYOND
    if 1 / matters <= interval.low and interval.high <= matters:
        return Verdict.UNCHANGED, Reason.WITHIN
    real = interval.low > 1 or interval.high < 1
    return Verdict.INCONCLUSIVE, Reason.EDGE if real else Reason.SPREAD

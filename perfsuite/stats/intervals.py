"""Confidence intervals of ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

#: Bounds of an interval lie no further than this from its ratio, by logarithm. Two pairs far apart, at the small error
#: that is left of a night's, give bounds beyond any float; a factor of a million says as little.
_WIDEST = math.log(1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A two-sided confidence interval of stated coverage."""

    low: float
    high: float
    coverage: float

    @classmethod
    def around(cls, log_ratio: float, half_width: float, *, coverage: float) -> Interval:
        """Of a ratio, by its logarithm and how far that may be off."""
        reach = min(half_width, _WIDEST)
        return cls(low=math.exp(log_ratio - reach), high=math.exp(log_ratio + reach), coverage=coverage)


def ratio_interval(
    log_ratio: float, *, squared_error: float, freedom: float, error: float, coverage: float
) -> Interval:
    """Student's t-interval for a ratio whose logarithm is known with that squared standard error.

    It misses the truth with probability ``error``; ``coverage`` is what it is said to have, together
    with others.
    """
    from scipy.special import stdtrit  # 0.3 s to import, so only when something is judged; scipy.stats takes a second

    half_width = abs(float(stdtrit(freedom, error / 2))) * math.sqrt(squared_error)
    return Interval.around(log_ratio, half_width, coverage=coverage)


def mean_ratio_interval(log_ratios: Sequence[float], *, error: float, coverage: float) -> Interval:
    """Of the geometric mean of at least two independent ratios, by their logarithms; ddof is 1."""
    count = len(log_ratios)
    return ratio_interval(
        statistics.fmean(log_ratios),
        squared_error=statistics.variance(log_ratios) / count,
        freedom=count - 1,
        error=error,
        coverage=coverage,
    )

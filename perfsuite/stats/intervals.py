"""Confidence intervals of ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A two-sided confidence interval of stated coverage."""

    low: float
    high: float
    coverage: float


def ratio_interval(
    log_ratio: float, *, squared_error: float, freedom: float, error: float, coverage: float
) -> Interval:
    """Student's t-interval for a ratio whose logarithm is known with that squared standard error.

    It misses the truth with probability ``error``; ``coverage`` is what it is said to have, together
    with others.
    """
    from scipy.stats import t  # 0.5 s to import, so only when something is judged

    half_width = float(t.isf(error / 2, freedom)) * math.sqrt(squared_error)
    return Interval(low=math.exp(log_ratio - half_width), high=math.exp(log_ratio + half_width), coverage=coverage)


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

"""How much alike observations of one group are: pairs by processes of the same launchers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from perfsuite.stats.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """The correlation of two observations of one group, and where it lies with 95 %; of ``groups`` with two or more."""

    value: float
    interval: Interval
    groups: int


def intraclass_correlation(
    families: Sequence[Sequence[Sequence[float]]], *, coverage: float = 0.95
) -> Correlation | None:
    """Of observations in groups in families; None where no family has two groups, or no group two observations.

    Each family (a variant) has a mean and a spread of its own, which say nothing of its groups (its launchers). One
    way analysis of variance within each family, the sums of squares over its spread added up (Donner 1986,
    International Statistical Review 54); the interval is by the F distribution (Searle 1971), exact where
    observations are normal and groups of one size.
    """
    from scipy.special import fdtri  # 0.3 s to import, so only when something is told

    between = within = 0.0
    between_freedom = within_freedom = size = 0.0
    count = 0
    for family in families:
        groups = [group for group in family if group]
        values = [value for group in groups for value in group]
        if len(groups) < 2 or not (spread := _squares(values)):
            continue
        inside = math.fsum(_squares(group) for group in groups)
        scale = spread / (len(values) - 1)
        within += inside / scale
        between += (spread - inside) / scale
        within_freedom += len(values) - len(groups)
        between_freedom += len(groups) - 1
        size += len(values) - sum(len(group) ** 2 for group in groups) / len(values)
        count += sum(len(group) > 1 for group in groups)
    if not within_freedom or not between_freedom or not within:
        return None
    size /= between_freedom
    ratio = (between / between_freedom) / (within / within_freedom)

    def correlation(ratio: float) -> float:
        return (ratio - 1) / (ratio + size - 1)

    error = (1 - coverage) / 2
    low, high = (ratio / float(fdtri(between_freedom, within_freedom, share)) for share in (1 - error, error))
    interval = Interval(low=correlation(low), high=correlation(high), coverage=coverage)
    return Correlation(value=correlation(ratio), interval=interval, groups=count)


def _squares(values: Sequence[float]) -> float:
    """Squared deviations from their mean."""
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values)

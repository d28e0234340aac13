"""Which of a night's variants may be slower: those that few pairs each do not show to be unchanged."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from perfsuite.stats.night import (
    NOTHING,
    NightPlan,
    Sample,
    deviation_bound,
    evidence,
    night_moderation,
    variance_within,
)

#: Pairs of every variant before one is suspected. More of them cost what noisy nights need for confirming: three are
#: as good up to a spread of 1.5 %, and find 2 to 6 less of 100 at 3 % (``night``).
SCREENING_PAIRS = 2

Key = TypeVar("Key", bound=Hashable)


def suspects(log_ratios: Mapping[Key, Sequence[float]], plan: NightPlan, *, most: int | None = None) -> list[Key]:
    """The variants that may be slower by what matters, or faster where that is asked; the most suspicious first.

    One may be slower until a one-sided bound, which errs with half of ``plan.missed``, lies below what matters: what
    is no suspect is unchanged. ``most`` leaves out the least suspicious.
    """
    samples = {key: Sample.of(pairs) for key, pairs in log_ratios.items()}
    own = {key: variance_within(sample) for key, sample in samples.items()}
    moderation = night_moderation(list(own.values()))
    suspicion: dict[Key, float] = {}
    for key, sample in samples.items():
        variance = moderation.of(own[key])
        reach = deviation_bound(variance, sample.count, plan.phase_error)
        furthest = abs(sample.mean) if plan.improvements else sample.mean
        if furthest + reach >= plan.bound:
            suspicion[key] = evidence(sample, NOTHING, variance, plan)
    ranked = sorted(suspicion, key=lambda key: suspicion[key], reverse=True)
    return ranked[:most]

"""What fresh pairs make of suspects, and whose pair is measured next."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from perfsuite.stats.intervals import Interval
from perfsuite.stats.moderated import Moderation, Variance
from perfsuite.stats.night import (
    NOTHING,
    NightPlan,
    Sample,
    deviation_bound,
    evidence,
    night_moderation,
    variance_within,
)
from perfsuite.stats.sequential import Looks

#: Looks after so many fresh pairs of a suspect, each some 1.5 times as many as the last. Twice as many each time
#: finds up to 4 slowdowns of 100 less; an earlier or later look finds no more.
LOOKS = (4, 6, 9, 14, 21, 32, 48, 72)
#: A regression is measured on until it is this many standard errors larger than what matters. Where all variants are
#: slower by half of what matters, 2 and 4 of 100 nights call one regressed instead of 12 and 11 (pairs vary by 1 and
#: 1.5 %); slowdowns that matter are found as often.
_CLEAR_ERRORS = 3.0

Key = TypeVar("Key", bound=Hashable)


class Conclusion(StrEnum):
    """What a night made of a variant, in the words of verdicts on speed."""

    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    INCONCLUSIVE = "inconclusive"
    REGRESSED = "regressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a variant's pairs came to: a suspect's fresh ones, another's of the screening.

    ``interval`` is of the last look, and covers the truth at all looks together. That it is ``slower`` or ``faster``
    at all was known at the last look, with an error that all suspects share, and which asks for more.
    """

    conclusion: Conclusion
    pairs: int
    ratio: float | None
    interval: Interval | None
    slower: bool = False
    faster: bool = False


def confirmed(
    screened: Mapping[Key, Sequence[float]], fresh: Mapping[Key, Sequence[float]], plan: NightPlan
) -> dict[Key, Confirmation]:
    """What became of each variant; the suspects are the keys of ``fresh``, all of them from the first pair on.

    ``fresh`` holds each suspect's pairs in the order of measuring, and none of those that made it a suspect.
    """
    night = _Night.of(screened, fresh, plan)
    return {key: night.confirmation(key) if key in fresh else night.screening(key) for key in night.screened}


def allot(screened: Mapping[Key, Sequence[float]], fresh: Mapping[Key, Sequence[float]], plan: NightPlan) -> Key | None:
    """The suspect to measure next: of those not yet clear, the one for whose slowdown most speaks; None if all are.

    All pairs may have a say in this: it decides when a suspect is looked at, never what it looks like.
    """
    night = _Night.of(screened, fresh, plan)
    ranked = sorted(fresh, key=night.evidence, reverse=True)
    return next((key for key in ranked if not night.clear(key)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Night(Generic[Key]):
    plan: NightPlan
    pairs: Mapping[Key, Sequence[float]]
    screened: Mapping[Key, Sample]
    fresh: Mapping[Key, Sample]
    own: Mapping[Key, Variance]
    moderation: Moderation

    @classmethod
    def of(
        cls, screened: Mapping[Key, Sequence[float]], fresh: Mapping[Key, Sequence[float]], plan: NightPlan
    ) -> _Night[Key]:
        before = {key: Sample.of(screened.get(key, ())) for key in dict.fromkeys((*screened, *fresh))}
        after = {key: Sample.of(pairs) for key, pairs in fresh.items()}
        own = {key: variance_within(one, after.get(key, NOTHING)) for key, one in before.items()}
        moderation = night_moderation(list(own.values()))
        return cls(plan=plan, pairs=fresh, screened=before, fresh=after, own=own, moderation=moderation)

    def evidence(self, key: Key) -> float:
        return evidence(self.screened[key], self.fresh[key], self.moderation.of(self.own[key]), self.plan)

    def clear(self, key: Key) -> bool:
        """Whether more pairs would change nothing, or there is no further look."""
        found = self.confirmation(key)
        if found.conclusion is Conclusion.UNCHANGED or found.pairs >= _looks(self.plan)[-1]:
            return True
        if found.conclusion is Conclusion.INCONCLUSIVE:
            return False
        squared_error = self.moderation.of(self.own[key]).value / found.pairs
        return abs(self.fresh[key].mean) - self.plan.bound > _CLEAR_ERRORS * math.sqrt(squared_error)

    def screening(self, key: Key) -> Confirmation:
        """Of a variant that is no suspect: unchanged, or one too many."""
        sample = self.screened[key]
        reach = deviation_bound(self.moderation.of(self.own[key]), sample.count, self.plan.phase_error)
        return self._confirmation(sample, sample.mean, reach)

    def confirmation(self, key: Key) -> Confirmation:
        """Of a suspect, by its fresh pairs alone."""
        fresh, plan = self.fresh[key], self.plan
        count = max((look for look in _looks(plan) if look <= fresh.count), default=None)
        if count is None:
            return self._confirmation(fresh, 0.0, math.inf)
        seen = Sample.of(self.pairs[key][:count])
        variance = self.moderation.of(variance_within(self.screened[key], seen))
        shared = _look_error(count, plan.false_alarm, plan, comparisons=len(self.fresh))
        real = deviation_bound(variance, count, shared)
        reach = deviation_bound(variance, count, _look_error(count, plan.phase_error, plan, comparisons=1))
        return self._confirmation(fresh, seen.mean, reach, slower=seen.mean > real, faster=-seen.mean > real)

    def _confirmation(
        self, sample: Sample, mean: float, reach: float, *, slower: bool = False, faster: bool = False
    ) -> Confirmation:
        return Confirmation(
            conclusion=self._conclusion(sample.mean, mean - reach, mean + reach, slower=slower, faster=faster),
            pairs=sample.count,
            ratio=math.exp(sample.mean) if sample.count else None,
            interval=Interval.around(mean, reach, coverage=1 - self.plan.missed) if math.isfinite(reach) else None,
            slower=slower,
            faster=faster,
        )

    def _conclusion(self, mean: float, low: float, high: float, *, slower: bool, faster: bool) -> Conclusion:
        bound, both = self.plan.bound, self.plan.improvements
        if slower and mean > bound:
            return Conclusion.REGRESSED
        if both and faster and -mean > bound:
            return Conclusion.IMPROVED
        if high < bound and (low > -bound or not both):
            return Conclusion.UNCHANGED
        return Conclusion.INCONCLUSIVE


def _looks(plan: NightPlan) -> tuple[int, ...]:
    """The looks that a suspect can reach; the first where none can."""
    return tuple(look for look in LOOKS if look <= plan.fresh_pairs) or LOOKS[:1]


def _look_error(count: int, error: float, plan: NightPlan, *, comparisons: int) -> float:
    """What the look after so many pairs may err with, of the error of all looks at all of them."""
    looks = Looks(counts=_looks(plan), coverage=1 - error, comparisons=comparisons)
    spent = share = 0.0
    for look in looks.counts:
        if look <= count:
            share = looks.error(look, spent) or 0.0
            spent += share
    return share

"""A suspect and its pairs -> what became of the suspicion, and the verdict on its speed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from perfsuite.records.baseline import Difference
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Violation
from perfsuite.stats import confirming
from perfsuite.stats.confirming import Conclusion
from perfsuite.stats.intervals import Interval, mean_ratio_interval

#: The machine moved if the baseline's stack takes at least this part of the stored slowdown longer than in its
#: sessions (judgement: the rest is what two means of some replicates vary by).
_MOVED_SHARE = 0.5
#: The part of the allowed error that goes to the slowest quarters, as in ``paired``.
_SLOW_PART_SHARE = 0.1
_VERDICTS = {
    Conclusion.REGRESSED: (Verdict.REGRESSED, Reason.BEYOND),
    Conclusion.IMPROVED: (Verdict.IMPROVED, Reason.BEYOND),
    Conclusion.UNCHANGED: (Verdict.UNCHANGED, Reason.WITHIN),
    Conclusion.INCONCLUSIVE: (Verdict.INCONCLUSIVE, Reason.SPREAD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on a suspect's speed, and what became of the suspicion."""

    speed: Speed
    confirmation: Confirmation


def judge_confirmation(
    stored: Speed,
    pairs: Sequence[Pair],
    found: confirming.Confirmation,
    *,
    matters: float,
    slow_error: float,
    differences: tuple[Difference, ...] = (),
    costs: tuple[Violation, ...] = (),
) -> Judgement:
    """``pairs`` are those that ``found`` tells of: the fresh ones of a suspect, those of screening of another.

    ``slow_error`` is what the verdict on the slowest quarter may err with.
    """
    verdict, reason = _VERDICTS[found.conclusion]
    slow_part = _slow_part(pairs, slow_error * _SLOW_PART_SHARE, found.interval)
    if slow_part is not None and slow_part.low > matters and verdict is not Verdict.REGRESSED:
        verdict, reason = Verdict.REGRESSED, Reason.SLOW_PART
    elif verdict is Verdict.INCONCLUSIVE and (found.slower or found.faster):
        reason = Reason.EDGE
    elif verdict is Verdict.INCONCLUSIVE and len(pairs) < confirming.LOOKS[0]:
        reason = Reason.TIME
    baseline_s = statistics.geometric_mean(pair.baseline.latency_s for pair in pairs) if pairs else None
    speed = Speed(
        variant=stored.variant,
        verdict=verdict,
        reason=reason,
        matters=matters,
        observations=len(pairs),
        candidate_s=statistics.geometric_mean(pair.candidate.latency_s for pair in pairs) if pairs else None,
        baseline_s=baseline_s,
        ratio=found.ratio,
        interval=found.interval,
        slow_part=slow_part,
    )
    moved = baseline_s / stored.baseline_s if baseline_s and stored.baseline_s else None
    confirmation = Confirmation(
        finding=_finding(verdict, stored, moved),
        stored=stored,
        pairs=len(pairs),
        moved=moved,
        differences=differences,
        costs=costs,
    )
    return Judgement(speed=speed, confirmation=confirmation)


def unconfirmed(stored: Speed, why: str, *, matters: float) -> Judgement:
    """A suspect that nobody could step beside its baseline; ``why`` is whoever failed's own words."""
    speed = replace(stored, verdict=Verdict.INCONCLUSIVE, reason=Reason.UNCONFIRMED, matters=matters)
    return Judgement(speed=speed, confirmation=Confirmation(finding=Finding.NOT_RUN, stored=stored, why=why))


def incomparable(stored: Speed, *, matters: float) -> Judgement:
    """A suspect whose workers did not do the same work as its baseline's beside them."""
    speed = replace(stored, verdict=Verdict.INCOMPARABLE, reason=Reason.OTHER_DATA, matters=matters)
    why = "its weights or inputs are others now than in the baseline's stack beside it"
    return Judgement(speed=speed, confirmation=Confirmation(finding=Finding.NOT_RUN, stored=stored, why=why))


def same_software(stored: Speed, *, matters: float, differences: tuple[Difference, ...] = ()) -> Judgement:
    """A suspect whose baseline would be run beside it by the very same process: what moved is the machine."""
    speed = replace(stored, verdict=Verdict.UNCHANGED, reason=Reason.SAME_SOFTWARE, matters=matters, slow_part=None)
    finding = _finding(Verdict.UNCHANGED, stored, stored.ratio)
    confirmation = Confirmation(
        finding=Finding.DRIFT if finding is Finding.DRIFT else Finding.SAME_SOFTWARE,
        stored=stored,
        moved=stored.ratio,
        differences=differences,
    )
    return Judgement(speed=speed, confirmation=confirmation)


def unsuspected(stored: Speed, *, matters: float) -> Speed:
    """A variant of which the stored sessions raise no suspicion."""
    return replace(stored, verdict=Verdict.UNCHANGED, reason=Reason.NO_SUSPECT, matters=matters)


def _finding(verdict: Verdict, stored: Speed, moved: float | None) -> Finding:
    match verdict:
        case Verdict.REGRESSED:
            return Finding.REGRESSION
        case Verdict.IMPROVED:
            return Finding.IMPROVEMENT
        case Verdict.INCONCLUSIVE:
            return Finding.INCONCLUSIVE
    if stored.ratio is None or moved is None:
        return Finding.NOT_REPRODUCED
    seen, now = math.log(stored.ratio), math.log(moved)
    # Either way: a machine that is faster today makes a baseline look bad, and then it is the machine as well.
    drifted = abs(seen) > math.log(stored.matters) and now * seen > 0 and abs(now) >= _MOVED_SHARE * abs(seen)
    return Finding.DRIFT if drifted else Finding.NOT_REPRODUCED


def _slow_part(pairs: Sequence[Pair], error: float, interval: Interval | None) -> Interval | None:
    if interval is None or len(pairs) < 2:
        return None
    ratios = [pair.slow_quarter_log_ratio for pair in pairs]
    return mean_ratio_interval(ratios, error=error, coverage=interval.coverage)

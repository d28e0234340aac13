"""What a comparison of latencies came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.baseline import Baseline, Incomparable, Missing
from perfsuite.spec import Variant
from perfsuite.stats.intervals import Interval


class Verdict(StrEnum):
    """What was made of a variant, the best first; of several the last counts."""

    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    UNSUPPORTED = "unsupported"
    MISSING_BASELINE = "missing-baseline"
    INCONCLUSIVE = "inconclusive"
    INCOMPARABLE = "incomparable"
    REGRESSED = "regressed"
    LOST = "lost"
    ERROR = "error"


class Reason(StrEnum):
    """Why a verdict on speed is what it is."""

    BEYOND = "real, and more than what matters"
    WITHIN = "the whole interval is less than what matters"
    SLOW_PART = "the slower part of the iterations is slower by more than what matters"
    EDGE = "real, and perhaps less than what matters"
    SPREAD = "the interval reaches from 1 beyond what matters"
    SINGLE = "one observation a side, whose spread nobody knows"
    FAR_BEYOND = "one observation a side, further apart than sessions ever were"
    TIME = "the time was over before there were two observations"
    NO_SUSPECT = "its sessions leave no suspicion that it is slower by what matters"
    SAME_SOFTWARE = "nothing of its software is another than in the accepted session"
    UNCONFIRMED = "suspected, and nobody could confirm it"
    OTHER_DATA = "other weights or other inputs"
    NO_BASELINE = "nothing to hold it against"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """A candidate's latency against its baseline's.

    ``ratio`` above 1 is slower, and from ``matters`` on it matters. ``slow_part`` is the interval of the
    slowest quarters' ratio. ``observations`` counts pairs of processes, or the candidate's replicates.
    ``baseline`` is what was stored; None where two stacks ran side by side.
    """

    variant: Variant
    verdict: Verdict
    reason: Reason
    matters: float
    observations: int = 0
    candidate_s: float | None = None
    baseline_s: float | None = None
    ratio: float | None = None
    interval: Interval | None = None
    slow_part: Interval | None = None
    baseline: Baseline | Missing | Incomparable | None = None

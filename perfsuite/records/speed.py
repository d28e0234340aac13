"""What a comparison of latencies came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.spec import Variant
from perfsuite.stats.intervals import Interval


class Verdict(StrEnum):
    """What a comparison came to."""

    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    INCOMPARABLE = "incomparable"
    MISSING_BASELINE = "missing-baseline"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """A candidate against its baseline; ``ratio`` above 1 is slower."""

    variant: Variant
    verdict: Verdict
    reason: str
    candidate_s: float | None = None
    baseline_s: float | None = None
    ratio: float | None = None
    interval: Interval | None = None

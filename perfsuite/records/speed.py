"""What a comparison of latencies came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.baseline import Baseline, Incomparable, Missing
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
    """A candidate against its baseline; ``ratio`` above 1 is slower.

    ``baseline`` is what was looked up in store/; None where two stacks ran side by side.
    """

    variant: Variant
    verdict: Verdict
    reason: str
    candidate_s: float | None = None
    baseline_s: float | None = None
    ratio: float | None = None
    interval: Interval | None = None
    baseline: Baseline | Missing | Incomparable | None = None

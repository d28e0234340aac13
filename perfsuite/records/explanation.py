"""What an explanation consists of. All frozen; times are seconds of one forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.evidence import Kernel
from perfsuite.spec import Variant

#: Less than this between two latencies is no change: one process a side does not tell 3 % from
#: none (resnet50 and BERT stand 4 to 16 % apart between sessions of the same code).
LEAST_RATIO = 1.03


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelChange:
    """The same calls before and after; one side is None for calls that only the other has.

    As many calls on both sides, save where one call does what several did: then as much work.
    """

    before: Kernel | None
    after: Kernel | None

    @property
    def delta_s(self) -> float:
        """Seconds that these calls take longer in one pass."""
        return (self.after.time_s if self.after else 0.0) - (self.before.time_s if self.before else 0.0)

    @property
    def any_side(self) -> Kernel:
        """The kernel that ran after, or else the one before."""
        kernel = self.after or self.before
        assert kernel is not None
        return kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """The timed medians of the two sides."""

    before_s: float
    after_s: float

    @property
    def ratio(self) -> float:
        return self.after_s / self.before_s

    @property
    def delta_s(self) -> float:
        return self.after_s - self.before_s

    @property
    def differ(self) -> bool:
        """Whether they are further apart than two sessions of the same code may be."""
        return max(self.ratio, 1 / self.ratio) >= LEAST_RATIO


class Cause(StrEnum):
    """Why two measurements of a model differ."""

    THREADS = "thread count"
    PRECISION = "precision"
    IMPLEMENTATION = "implementation"
    REORDERS = "reorders"
    GRAPH = "graph breaks"
    OPERATORS = "operators"
    SAME_KERNELS = "same kernels"
    OUTSIDE = "outside the kernels"
    NO_EVIDENCE = "no evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause, the time it accounts for, and the sentence that says so.

    ``share`` is ``delta_s`` over the difference of the latencies: below 0 for what worked against
    it, above 1 where something did. None: what differs is a fact, but explains no time.
    """

    cause: Cause
    share: float | None
    delta_s: float
    sentence: str
    changes: tuple[KernelChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why ``after`` took longer or shorter than ``before``: findings, most time first.

    ``notes`` name what else was not the same: variables, packages, machine, weights.
    """

    before: Variant
    after: Variant
    latencies: Latencies
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def changes(self) -> tuple[KernelChange, ...]:
        """The calls that differ, those that account for most time first."""
        found = [change for finding in self.findings for change in finding.changes]
        return tuple(sorted(found, key=lambda change: -abs(change.delta_s)))

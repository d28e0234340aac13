"""Two workers alive at once and stepped in turn, and what they held."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perfsuite.records.measurement import Replicate
from perfsuite.spec import Variant
from perfsuite.stats.location import fastest_half_mean, slowest_quarter_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What is held against what: the same model, precision and workload in two stacks."""

    baseline: Variant
    candidate: Variant

    @property
    def id(self) -> str:
        """The variant's, without the backend where it differs, and with both modes where they do."""
        one, other = self.baseline, self.candidate
        backend = (one.backend,) if one.backend == other.backend else ()
        modes = (one.mode,) if one.mode == other.mode else (f"{one.mode}-or-{other.mode}",)
        return "-".join((one.model, *backend, *modes, one.precision, one.workload))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two workers, one of each stack, alive at once and stepped in turn: the unit of the statistics.

    Blocks come in rounds of two a side, A B B A and B A A B by turns.
    """

    pairing: Pairing
    baseline: Replicate
    candidate: Replicate

    @property
    def measured_s(self) -> float:
        """Both sides' warm-up and timed blocks; starting and preparing are left out."""
        return sum(side.stages.warm_up_s + side.stages.timed_s for side in (self.baseline, self.candidate))

    @property
    def log_ratio(self) -> float:
        """Candidate over baseline, of what a pass takes when nobody disturbs it."""
        return self._log_ratio(fastest_half_mean)

    @property
    def slow_quarter_log_ratio(self) -> float:
        """Candidate over baseline, of each side's slowest quarter of iterations."""
        return self._log_ratio(slowest_quarter_mean)

    def _log_ratio(self, mean: Callable[[Sequence[float]], float]) -> float:
        one, other = (mean(side.latencies_ns) for side in (self.baseline, self.candidate))
        return math.log(other / one)

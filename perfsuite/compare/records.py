"""The records of a side-by-side comparison. All frozen; times and ratios follow ``results.py``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perfsuite.evidence.records import Evidence
from perfsuite.explain.records import Explanation
from perfsuite.results import Accuracy, Comparison, Digests, Replicate, Stack, Stages
from perfsuite.spec import Variant
from perfsuite.stats.location import fastest_half_mean, slowest_half_mean
from perfsuite.worker.timing import Warmup


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
class Block:
    """Consecutive timed iterations of one worker, and what the machine did meanwhile.

    ``others_cpu_s`` is what anybody else used of the worker's CPUs, ``idle_cpu_s`` what the other
    worker did, which stands still; ``frequency_mhz`` is None where the machine does not tell.
    """

    latencies_ns: tuple[int, ...]
    others_cpu_s: float
    steal_s: float
    idle_cpu_s: float
    frequency_mhz: float | None
    load_1min: float
    minor_faults: int
    major_faults: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of a pair's two workers."""

    warmup: Warmup
    stages: Stages
    peak_rss_bytes: int
    digests: Digests
    weights_origin: str
    blocks: tuple[Block, ...]

    @property
    def replicate(self) -> Replicate:
        """The worker as any other that was timed: the iterations of all its blocks."""
        return Replicate(
            latencies_ns=tuple(latency for block in self.blocks for latency in block.latencies_ns),
            warmup=self.warmup,
            stages=self.stages,
            peak_rss_bytes=self.peak_rss_bytes,
        )

    @property
    def early_log_ratio(self) -> float:
        """The first half of the blocks over the second: above 0 if it was still cold."""
        middle = len(self.blocks) // 2
        early, late = (
            fastest_half_mean([latency for block in half for latency in block.latencies_ns])
            for half in (self.blocks[:middle], self.blocks[middle:])
        )
        return math.log(early / late)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two workers, one of each stack, alive at once and stepped in turn: the unit of the statistics.

    Blocks come in rounds of two a side, A B B A and B A A B by turns.
    """

    pairing: Pairing
    baseline: Side
    candidate: Side

    @property
    def log_ratio(self) -> float:
        """Candidate over baseline, of what a pass takes when nobody disturbs it."""
        return self._log_ratio(fastest_half_mean)

    @property
    def slow_half_log_ratio(self) -> float:
        """Candidate over baseline, of the iterations that ``log_ratio`` leaves out."""
        return self._log_ratio(slowest_half_mean)

    def _log_ratio(self, mean: Callable[[Sequence[float]], float]) -> float:
        one, other = (mean(side.replicate.latencies_ns) for side in (self.baseline, self.candidate))
        return math.log(other / one)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSided:
    """What cannot be held against its like, with each side's reason; None where that side could."""

    name: str
    baseline_lacks: str | None
    candidate_lacks: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One side's outputs against its own stack's FP32, what its gates say, and what really ran."""

    accuracy: Accuracy
    wrong: tuple[str, ...]
    lost: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A pairing's outputs and evidence; ``agreement`` is the candidate's outputs against the baseline's."""

    pairing: Pairing
    baseline: Examined
    candidate: Examined
    agreement: Accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingFailure:
    """A pairing of which one side crashed, hung or raised; no more is tried of it."""

    pairing: Pairing
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """One variant of one stack, run once to find its best mode; ``wrong`` keeps it from being chosen."""

    stack: str
    variant: Variant
    latency_s: float | None
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All that came of one pairing.

    ``lost`` is what the candidate's kernels fail to do that the baseline's do.
    """

    pairing: Pairing
    comparison: Comparison
    examination: Examination | None
    pairs: tuple[Pair, ...]
    lost: tuple[str, ...]
    explanation: Explanation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSide:
    """One of the two stacks as it was compared."""

    name: str
    backend: str
    stack: Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole comparison."""

    baseline: StackSide
    candidate: StackSide
    machine_slug: str
    threads: int
    resolution: float
    coverage: float
    rows: tuple[Row, ...]
    one_sided: tuple[OneSided, ...]
    wall_s: float

"""The records of a side-by-side comparison. All frozen; times and ratios follow ``results.py``."""

from __future__ import annotations

from dataclasses import dataclass

from perfsuite.records.accuracy import Accuracy
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Explanation
from perfsuite.records.measurement import Stack
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.speed import Speed
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSided:
    """What cannot be held against its like, with each side's reason; None where that side could."""

    name: str
    baseline_lacks: str | None
    candidate_lacks: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One side's outputs against its own stack's FP32, what its gates say, and what really ran."""

    accuracy: Accuracy
    wrong: tuple[str, ...]
    lost: tuple[Violation, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A pairing's outputs and evidence; ``agreement`` is the candidate's outputs against the baseline's."""

    pairing: Pairing
    baseline: Inspection
    candidate: Inspection
    agreement: Accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingFailure:
    """A pairing of which one side crashed, hung or raised; no more is tried of it."""

    pairing: Pairing
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
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
    comparison: Speed
    examination: Examination | None
    pairs: tuple[Pair, ...]
    lost: tuple[Violation, ...]
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

"""The records of a side-by-side comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from perfsuite.records.accuracy import Accuracy
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Explanation
from perfsuite.records.measurement import Digests, Stack
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.placement import Placement
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """One variant of one stack, run once to find its best mode; what is wrong keeps it from being chosen."""

    stack: str
    variant: Variant
    latency_s: float | None
    outputs: tuple[Violation, ...] = ()
    failure: str = ""

    @property
    def usable(self) -> bool:
        return self.latency_s is not None and not self.outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Why a side has no variant to compare: what it does not support, what was wrong, what there was no time for."""

    unsupported: tuple[str, ...] = ()
    unusable: tuple[Screening, ...] = ()
    untried: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSided:
    """What cannot be held against its like, with what each side lacks; None where that side could."""

    name: str
    outcome: Outcome
    baseline: Gap | None
    candidate: Gap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One side's outputs against its own stack's FP32, what its gates say, and what really ran on what."""

    accuracy: Accuracy | None
    wrong: tuple[Violation, ...]
    lost: tuple[Violation, ...]
    evidence: Evidence
    digests: Digests


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A pairing's outputs and evidence; ``agreement`` is the candidate's outputs against the baseline's.

    ``wrong`` is in what the candidate's outputs and FP32 reference differ from the baseline's. Where the
    digests do, neither is told: other weights or inputs have other outputs.
    """

    pairing: Pairing
    baseline: Inspection
    candidate: Inspection
    agreement: Accuracy | None
    wrong: tuple[Violation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingFailure:
    """A pairing of which one side crashed, hung or raised; no more is tried of it until the comparison is resumed."""

    pairing: Pairing
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """That the first ``count`` pairs of a pairing were looked at, and the error that this spent.

    ``last``: the time was over. A run that resumes may go on, with what is left of the error.
    """

    pairing: Pairing
    count: int
    error: float
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All that came of one pairing."""

    pairing: Pairing
    outcome: Outcome
    examination: Examination | None
    pairs: tuple[Pair, ...]
    explanation: Explanation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSide:
    """One of the two stacks as it was compared, and where its workers ran."""

    name: str
    backend: str
    stack: Stack
    machine_slug: str
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole comparison. ``wrong_modes`` are those that a choice of the best mode left out."""

    baseline: StackSide
    candidate: StackSide
    resolution: float
    coverage: float
    rows: tuple[Row, ...]
    one_sided: tuple[OneSided, ...]
    wrong_modes: tuple[Outcome, ...]
    wall_s: float

    @property
    def outcomes(self) -> Iterator[Outcome]:
        """What the exit status follows from."""
        yield from (row.outcome for row in self.rows)
        yield from (one.outcome for one in self.one_sided)
        yield from self.wrong_modes

"""The records that stages hand to one another. All frozen; units are in the names."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from enum import StrEnum

from perfsuite.evidence.records import Evidence
from perfsuite.machine.fingerprint import MachineClass
from perfsuite.spec import Variant
from perfsuite.worker.timing import Warmup


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A named environment: the interpreter's version and every installed distribution's."""

    python: str
    packages: dict[str, str]

    @property
    def slug(self) -> str:
        """A short, file-system safe name: the two packages that decide speed."""
        names = {"ipex": "intel-extension-for-pytorch", "torch": "torch"}
        found = [f"{short}-{self.packages[name]}" for short, name in names.items() if name in self.packages]
        return "_".join(found).replace("+", "-") or "no-torch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """What was run on what: results with different digests are incomparable."""

    weights_sha256: str
    inputs_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Where one worker's wall time went, in seconds."""

    start_s: float
    load_s: float
    prepare_s: float
    first_inference_s: float
    warm_up_s: float
    timed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """One worker process of a variant: the unit of statistics."""

    latencies_ns: tuple[int, ...]
    warmup: Warmup
    stages: Stages
    peak_rss_bytes: int

    @property
    def median_s(self) -> float:
        return statistics.median(self.latencies_ns) * 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Everything measured of one variant in one session."""

    variant: Variant
    stack: Stack
    machine: MachineClass
    digests: Digests
    weights_origin: str
    environment: dict[str, str]
    replicates: tuple[Replicate, ...]
    #: Absent where it was not asked for, and in files older than it.
    evidence: Evidence | None = None

    @property
    def latency_s(self) -> float:
        """The median over replicates of their medians."""
        return statistics.median(replicate.median_s for replicate in self.replicates)

    @property
    def steady(self) -> bool:
        return all(replicate.warmup.steady for replicate in self.replicates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A variant that could not be measured, and why."""

    variant: Variant
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How far outputs lie from FP32's, over all measured inputs.

    ``sqnr_db`` is the worst input's signal-to-quantisation-noise ratio; ``centred_cosine`` the
    worst input's cosine after the mean over inputs is removed; ``agreement`` the share of
    decisions that stay, weighted by FP32's margin; ``max_error`` the largest difference
    over the largest FP32 magnitude. ``variation`` is how much inputs differ in FP32: the least
    length of one's output after the mean is removed, relative to its whole length.
    """

    sqnr_db: float
    centred_cosine: float
    variation: float
    agreement: float
    max_error: float


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
class Interval:
    """A two-sided confidence interval of stated coverage."""

    low: float
    high: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A candidate against its baseline; ``ratio`` above 1 is slower."""

    variant: Variant
    verdict: Verdict
    reason: str
    candidate_s: float | None = None
    baseline_s: float | None = None
    ratio: float | None = None
    interval: Interval | None = None

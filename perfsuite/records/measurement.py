"""The records that stages hand to one another. All frozen; units are in the names."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from perfsuite.records.accuracy import Sketch
from perfsuite.records.evidence import Evidence
from perfsuite.records.machine import MachineClass
from perfsuite.spec import Variant


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
class Warmup:
    """How the worker got to its steady state, or that it never did."""

    steady: bool
    iterations: int
    duration_ns: int


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
    #: Of the eager FP32 outputs on the same weights and inputs; absent in older files.
    reference: Sketch | None = None

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

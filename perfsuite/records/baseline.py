"""What a measurement is held against, why there is nothing to hold it against, and what was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.measurement import Measurement
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """When an entry was accepted (ISO 8601), of which commit, on which machine and kernel; None: not told."""

    accepted_at: str | None = None
    commit: str | None = None
    dirty: bool = False
    node: str | None = None
    kernel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The accepted measurement that another is held against, of its own stack or of another."""

    measurement: Measurement
    stack_slug: str
    accepted_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that is another in the baseline than here."""

    name: str
    before: str
    now: str


class Lack(StrEnum):
    """What there is no baseline of."""

    NO_CLASS = "no class"  # nothing is accepted for this machine class
    NO_STACK = "no stack"  # nothing of the stack that was asked for
    NO_VARIANT = "no variant"  # nothing of this variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """There is no baseline; ``stacks`` are those accepted for this machine class.

    ``nearest`` is the machine class most like this one that has the variant; ISA flags that both
    have are left out of its difference.
    """

    kind: Lack
    machine_slug: str
    nearest: str | None = None
    nearest_differences: tuple[Difference, ...] = ()
    stacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomparable:
    """There is a baseline for this machine class, of other weights or inputs."""

    fields: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedFile:
    """What became of one file; ``name`` is its path under the folder of baselines.

    ``kept_evidence`` and ``dropped_evidence`` are variants accepted without evidence that had some stored.
    """

    name: str
    accepted: tuple[Variant, ...] = ()
    kept_evidence: tuple[Variant, ...] = ()
    dropped_evidence: tuple[Variant, ...] = ()
    removed: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What accepting a session changed, file by file; a file that it left alone is not there."""

    files: tuple[AcceptedFile, ...] = ()

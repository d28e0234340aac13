"""What a measurement is held against, why there is nothing to hold it against, and what was accepted."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.measurement import Measurement
from perfsuite.records.session import Session
from perfsuite.spec import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What one accepted session says of a variant; ``session`` is without its entries."""

    measurement: Measurement
    accepted_at: str | None
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The accepted sessions that a measurement is held against, the newest first, at least one.

    All are of one stack, of its own or of another, with one environment, on the same weights and inputs.
    """

    accepted: tuple[Accepted, ...]
    stack_slug: str

    @property
    def measurement(self) -> Measurement:
        """The newest, whose kernels and outputs are held against.

        One that was not observed has the evidence of the newest session that was, of the same stack and environment.
        """
        return self.accepted[0].measurement

    @property
    def accepted_at(self) -> str | None:
        return self.accepted[0].accepted_at

    @property
    def latency_s(self) -> float:
        """The geometric mean over sessions."""
        return statistics.geometric_mean(one.measurement.latency_s for one in self.accepted)


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
class Acceptance:
    """What accepting a session changed; without a ``name`` nothing did.

    ``name`` is the path of its file under the folder of baselines. ``sessions`` is how many the accepted variant
    with the fewest has now, this one included. ``kept_evidence`` and ``dropped_evidence`` are variants accepted
    without evidence that had some stored. ``restarted`` are those whose earlier sessions count no more, ``removed``
    those that were given up. ``pruned`` are the files that no variant needs any more.
    """

    name: str = ""
    accepted: tuple[Variant, ...] = ()
    sessions: int = 0
    kept_evidence: tuple[Variant, ...] = ()
    dropped_evidence: tuple[Variant, ...] = ()
    restarted: tuple[Variant, ...] = ()
    removed: tuple[Variant, ...] = ()
    pruned: tuple[str, ...] = ()

"""What an explanation consists of, worded by ``perfsuite/report`` alone. All frozen; times are seconds of one pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.evidence import Kernel
from perfsuite.records.machine import MachineClass
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
    """What a pass takes on the two sides; the time for each pass of all instances where these are not as many."""

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

    INSTANCES = "instances"
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
class Setting:
    """A variable, a package or a number of threads on both sides; None where it is not set or not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphChange:
    """What TorchDynamo compiled otherwise: the reason of each break and recompilation."""

    more_breaks: tuple[str, ...]
    fewer_breaks: tuple[str, ...]
    more_recompiles: tuple[str, ...]
    fewer_recompiles: tuple[str, ...]
    compiled_before: int
    compiled_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Time that no other kernels explain, and whether TorchDynamo's code runs there.

    ``observed``: it is in no kernel. Otherwise the workers whose kernels are known had it not, and it may be the same
    kernels' too.
    """

    observed: bool
    compiled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Which sides have no evidence."""

    before: bool
    after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One cause, the time it accounts for, and the facts that show it.

    ``share`` is ``delta_s`` over the difference of the latencies: below 0 for what worked against
    it, above 1 where something did. None: what differs is a fact, but explains no time. ``lack``:
    nobody knows which kernels ran, so that no time is this cause's own.
    """

    cause: Cause
    share: float | None
    delta_s: float
    changes: tuple[KernelChange, ...] = ()
    threads: Setting | None = None
    instances: Setting | None = None
    graphs: GraphChange | None = None
    outside: Outside | None = None
    lack: Lack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What else was not the same. Packages are those whose code runs in a pass, and the interpreter as Python.

    ``observed_s`` is what a pass took while each side's kernels were observed, where the ratio of the two is far from
    the timed one.
    """

    variables: tuple[Setting, ...]
    packages: tuple[Setting, ...]
    other_packages: int
    machines: tuple[MachineClass, MachineClass] | None
    other_digests: bool
    unread_before: int
    unread_after: int
    observed_s: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why ``after`` took longer or shorter than ``before``: contributions, most time first."""

    before: Variant
    after: Variant
    latencies: Latencies
    contributions: tuple[Contribution, ...]
    notes: Notes

    @property
    def changes(self) -> tuple[KernelChange, ...]:
        """The calls that differ, those that account for most time first."""
        found = [change for one in self.contributions for change in one.changes]
        return tuple(sorted(found, key=lambda change: -abs(change.delta_s)))


class Difference(StrEnum):
    """In what two evidences of one variant differ; beside each what ``subject``, ``before`` and ``after`` hold."""

    MOVED = "moved kernels"  # the same work in other kernels, in ``changes``
    ONE_SIDED = "kernels of one side"  # in ``changes``
    SHARE = "share"  # a type: its shares of the multiply-accumulates
    BREAKS = "graph breaks"  # a reason: numbers
    RECOMPILES = "recompiles"  # numbers
    SIZE = "size"  # a field of Footprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceChange:
    """One difference between two evidences of the same variant; times are none."""

    kind: Difference
    subject: str = ""
    before: int | float = 0
    after: int | float = 0
    changes: tuple[KernelChange, ...] = ()

"""The records that stages hand to one another. All frozen; units are in the names."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from perfsuite.records.accuracy import Accuracy, Sketch
from perfsuite.records.evidence import Evidence
from perfsuite.records.machine import MachineClass
from perfsuite.records.violation import Violation
from perfsuite.spec import Variant
from perfsuite.stats.growth import growth_bytes_per_iteration
from perfsuite.stats.location import fastest_half_mean, slowest_quarter_mean

#: 292 years: clocks count nanoseconds in 64 bits.
_LONGEST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A named environment: the interpreter's version and every installed distribution's."""

    python: str
    packages: dict[str, str]


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
    #: What the launcher that it was forked from took to import the stack; None in files older than it.
    import_s: float | None = None
    #: What compiling took where nothing of it was cached, as on a stack's first day; None where something was, where
    #: nobody tells, and in files older than it. It is a part of ``first_inference_s``.
    cold_compile_s: float | None = None

    @property
    def total_s(self) -> float:
        """All that the worker took, its launcher left out."""
        preparing_s = self.start_s + self.load_s + self.prepare_s + self.first_inference_s
        return preparing_s + self.warm_up_s + self.timed_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmup:
    """How the worker got to its steady state, or that it never did."""

    steady: bool
    iterations: int
    duration_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the machine did during a block.

    ``others_cpu_s`` is what anybody else used of the worker's CPUs, ``idle_cpu_s`` what other workers of the
    measurement did, which stand still; ``frequency_mhz`` is None where the machine does not tell.
    ``resident_bytes`` is what the worker held at the block's end.
    """

    others_cpu_s: float
    steal_s: float
    idle_cpu_s: float
    frequency_mhz: float | None
    load_1min: float
    minor_faults: int
    major_faults: int
    resident_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What instances that started together got done while all of them ran.

    ``window_ns`` is that time, ``passes`` how many each instance made in it, of which one may be a fraction, and
    ``items`` how many photographs or texts a pass has. ValueError if there was no time, or an instance that did
    nothing.
    """

    window_ns: int
    passes: tuple[float, ...]
    items: int

    def __post_init__(self) -> None:
        some = self.passes and 0 < min(self.passes) <= max(self.passes) < math.inf
        if not 0 < self.window_ns < _LONGEST_NS or not some or self.items < 1:
            raise ValueError("a load without passes")

    @property
    def pass_time_ns(self) -> float:
        """The time for each pass that any of them made: of two instances half of what a pass takes."""
        return self.window_ns / sum(self.passes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive timed iterations of one worker, or of all instances; what is absent in older files has a default.

    ``load`` is told where instances were timed that started together, or one beside such: ``latencies_ns`` are then
    those of all, instance after instance.

    ValueError, which every reader of files takes for a file that cannot be trusted, if there is no time in it.
    """

    latencies_ns: tuple[int, ...]
    conditions: Conditions | None = None
    load: Load | None = None

    def __post_init__(self) -> None:
        if not self.latencies_ns or not 0 < min(self.latencies_ns) <= max(self.latencies_ns) < _LONGEST_NS:
            raise ValueError("a block without latencies")

    @property
    def duration_s(self) -> float:
        """How long it was timed."""
        return (self.load.window_ns if self.load else sum(self.latencies_ns)) * 1e-9

    @property
    def pass_times_ns(self) -> tuple[float, ...]:
        """What ratios are made of: each iteration's latency, or of a load the one time for each pass."""
        return (self.load.pass_time_ns,) if self.load else self.latencies_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """The workers of a variant, one for each instance, stepped alone or in turn with others: the unit of statistics.

    Of several instances ``stages`` are those of the slowest at each, ``peak_rss_bytes`` is of all together, and
    ``latency_s`` the time for each pass that any of them makes. That is what throughput is the inverse of, so that a
    ratio above 1 is slower whatever is compared: two instances of one thread with one of two, say.

    ValueError if it has no blocks.
    """

    digests: Digests
    weights_origin: str
    warmup: Warmup
    stages: Stages
    peak_rss_bytes: int
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if not self.blocks:
            raise ValueError("a replicate without blocks")

    @property
    def instances(self) -> int:
        load = self.blocks[0].load
        return len(load.passes) if load else 1

    @property
    def items_per_s(self) -> float | None:
        """Of all instances, over the time in which all run, in the blocks that ratios are of; None of one alone."""
        load = self.blocks[0].load
        return load.items / self.latency_s if load else None

    @property
    def latencies_ns(self) -> tuple[int, ...]:
        """Of the iterations of all blocks and instances, as long as they took under the load of all."""
        return tuple(latency for block in self.blocks for latency in block.latencies_ns)

    @property
    def pass_times_ns(self) -> tuple[float, ...]:
        """What ratios are made of: the latencies of one worker's iterations, or of a load one time for each block.

        Of instances the faster half of the latencies would leave out the slower instance.
        """
        return tuple(time for block in self.blocks for time in block.pass_times_ns)

    @property
    def shares_ns(self) -> tuple[float, ...]:
        """Each iteration's latency, divided among the instances that ran meanwhile: what the slow ones are held by."""
        return tuple(latency / self.instances for latency in self.latencies_ns)

    @property
    def latency_s(self) -> float:
        """What a pass takes when nobody disturbs it: the one estimand of every ratio, figure and explanation."""
        return fastest_half_mean(self.pass_times_ns) * 1e-9

    @property
    def slow_latency_s(self) -> float:
        """What the slowest quarter of the passes takes."""
        return slowest_quarter_mean(self.shares_ns) * 1e-9

    @property
    def early_log_ratio(self) -> float:
        """The first half of the blocks over the second: above 0 if it was still cold; 0 of a single block."""
        middle = len(self.blocks) // 2
        if middle == 0:
            return 0.0
        early, late = (
            fastest_half_mean([time for block in half for time in block.pass_times_ns])
            for half in (self.blocks[:middle], self.blocks[middle:])
        )
        return math.log(early / late)

    @property
    def growth_bytes_per_iteration(self) -> float | None:
        """How much more memory it held with every iteration, once the allocator had settled: over the later blocks.

        None where fewer than four blocks of the later half tell what was held.
        """
        later = self.blocks[len(self.blocks) // 2 :]
        held = [block.conditions.resident_bytes if block.conditions else None for block in later]
        return growth_bytes_per_iteration(held, [len(block.latencies_ns) for block in later])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Everything measured of one variant in one session; ValueError if it has no replicates."""

    variant: Variant
    stack: Stack
    machine: MachineClass
    digests: Digests
    weights_origin: str
    environment: dict[str, str]
    replicates: tuple[Replicate, ...]
    #: Absent where it was not asked for, and in files older than it.
    evidence: Evidence | None = None
    #: What is wrong with its outputs at this shape; a baseline has nothing wrong.
    wrong: tuple[Violation, ...] = ()
    #: Of eager FP32 on the same stack, weights and inputs; absent in files older than it.
    reference: Sketch | None = None
    #: Its outputs against FP32's; absent where nothing was to be compared, and in files older than it.
    accuracy: Accuracy | None = None
    #: The id of the session that it belongs to; empty in files older than sessions.
    session: str = ""

    def __post_init__(self) -> None:
        if not self.replicates:
            raise ValueError(f"{self.variant.id} has no replicates")

    @property
    def latency_s(self) -> float:
        """The geometric mean over replicates, as ratios are made of."""
        return statistics.geometric_mean(replicate.latency_s for replicate in self.replicates)

    @property
    def steady(self) -> bool:
        return all(replicate.warmup.steady for replicate in self.replicates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A variant that could not be measured, and why."""

    variant: Variant
    reason: str

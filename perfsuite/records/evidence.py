"""What really ran in one forward pass of a variant. All frozen; times and counts are per pass.

(The records of single verbose lines, Primitive, Header and so on, are in ``lines.py``.)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from perfsuite.records.isa import Isa
from perfsuite.records.machine import StackAnswers

#: Stands in a captured log before each pass.
PASS_MARK = "perfsuite,pass"
#: What oneDNN says where its cache does not hold a primitive.
CREATION_MARK = "create:cache_miss"


class Source(StrEnum):
    """Who says that a kernel ran."""

    ONEDNN = "oneDNN"
    MKL = "MKL"
    OPENVINO = "OpenVINO"
    #: torch.profiler: an operator that calls neither, or a library that does not speak.
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """All calls of one pass with the same operation, implementation, types and shape.

    ``problem`` is the shape in its source's own notation; ``macs`` the multiply-accumulates of all
    the calls, 0 for what does none, None where the source does not tell. ``dtype`` is what the
    multiply-accumulates read: fp32, bf16, int8, ... .
    """

    source: Source
    operation: str
    implementation: str
    isa: Isa
    dtype: str
    tensors: str
    problem: str
    count: int
    time_s: float
    macs: int | None
    reference: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """All calls of one pass of one PyTorch operator with the same shapes, without its children."""

    name: str
    shapes: str
    dtypes: str
    count: int
    self_time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """All runs of one pass of one kind of oneDNN graph (LLGA) partition; its kernels are listed apart."""

    kind: str
    operators: str
    count: int
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphBreak:
    """Where TorchDynamo fell back to Python, and why."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graphs:
    """What TorchDynamo compiled, from the first inference on."""

    compiled: int
    breaks: tuple[GraphBreak, ...]
    recompiles: tuple[str, ...]
    compile_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One copy of a kernel library in the process, and the instruction sets it says it uses."""

    name: str
    version: str
    isa: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Memory and time of one worker: ``resident_bytes`` is what holding the prepared model costs.

    ``artefact_bytes`` is the size of the file that a deployed variant loads. ``first_inference_s``
    includes compilation.
    """

    resident_bytes: int
    peak_rss_bytes: int
    artefact_bytes: int | None
    prepare_s: float
    first_inference_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Lines that the parser did not understand: how many, and the first of them."""

    count: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmxBusy:
    """Cycles in which the AMX unit was busy (perf event ``exe.amx_busy``), or why nobody knows."""

    cycles: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creations:
    """oneDNN primitives that a pass made, though one of the same shapes had made them: their number, and which most."""

    count: int
    kernels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything observed of one variant, in a worker that is not timed any more, or never was.

    ``forward_s`` is what a pass takes in that worker without any instrument, only to set kernels' times
    against: its replicate's latency, or else the median of a few passes. ``model_macs`` is counted on the
    FP32 module, whatever then ran.
    """

    kernels: tuple[Kernel, ...]
    operators: tuple[Operator, ...]
    partitions: tuple[Partition, ...]
    graphs: Graphs | None
    libraries: tuple[Library, ...]
    footprint: Footprint
    unread: Unread
    amx_busy: AmxBusy
    stack_answers: StackAnswers
    model_macs: int
    forward_s: float
    threads: int
    #: None where oneDNN was not asked, and in files older than it.
    creations: Creations | None = None
    #: What the process held more after each pass over several shapes; None where there is but one shape.
    growth_bytes: float | None = None

    @property
    def break_reasons(self) -> Counter[str]:
        """How often TorchDynamo fell back, by reason."""
        breaks: Counter[str] = Counter()
        for item in self.graphs.breaks if self.graphs else ():
            breaks[item.reason] += item.count
        return breaks

    @property
    def compiled_graphs(self) -> int:
        return self.graphs.compiled if self.graphs else 0

    @property
    def recompiles(self) -> tuple[str, ...]:
        return self.graphs.recompiles if self.graphs else ()

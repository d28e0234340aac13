"""What can be run: modes, precisions, workloads, variants and their ids. Imports no torch."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from perfsuite.errors import UsageError


class Mode(StrEnum):
    """How the prepared model is executed."""

    EAGER = "eager"
    DYNAMO = "dynamo"
    TORCHSCRIPT = "torchscript"
    DEPLOYED = "deployed"


class Precision(StrEnum):
    """What the user asks the arithmetic to be."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    INT8_STATIC = "int8-static"
    INT8_DYNAMIC = "int8-dynamic"
    #: Weights alone; what they are multiplied with is BF16.
    INT8_WEIGHT_ONLY = "int8-weight-only"

    @property
    def is_int8(self) -> bool:
        return self in (Precision.INT8_STATIC, Precision.INT8_DYNAMIC, Precision.INT8_WEIGHT_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The shape of one input batch; ``tokens`` is None for images, ``pixels`` None for all else.

    ``uneven`` batches hold rows of full length and, in turn with them, shorter ones that are padded at their left.
    """

    batch: int
    pixels: int | None = None
    tokens: int | None = None
    uneven: bool = False

    def __str__(self) -> str:
        return f"{self.batch} x 3 x {self.pixels} x {self.pixels}" if self.pixels else f"{self.batch} x {self.tokens}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A named pair of sequences of shapes, one for models that read images and one for all others.

    One pass is over a batch of each shape, in turn. ``inputs`` different batches of each are compared with FP32.
    ``once`` marks shapes of which one pass takes minutes on a small machine: one replicate of one iteration, without
    warm-up.
    ``step_timeout_s`` is when a worker's step counts as hung: some ten times the slowest step seen
    on two cores, a cold compilation.
    """

    name: str
    images: tuple[Shape, ...]
    text: tuple[Shape, ...]
    description: str
    inputs: int = 4
    once: bool = False
    step_timeout_s: float = 400.0


#: As requests come that nobody sorts: lengths and batches that compilers and caches have not seen, or saw a while ago.
#: Batches of one are among them, for compilers make these a case of their own.
_MIXED = ((1, 16), (3, 37), (1, 128), (8, 64), (3, 16), (1, 37), (8, 16), (3, 64))

#: Every workload's shapes, in this one place.
WORKLOADS = (
    Workload(
        name="smoke",
        images=(Shape(batch=2, pixels=224),),
        text=(Shape(batch=2, tokens=32),),
        description="small enough to check every variant's outputs in minutes",
    ),
    Workload(
        name="latency",
        images=(Shape(batch=1, pixels=224),),
        text=(Shape(batch=1, tokens=128),),
        description="one request at a time; 128 tokens as in the published GLUE examples",
    ),
    Workload(
        name="mixed",
        images=tuple(Shape(batch=batch, pixels=224) for batch in (1, 3, 8)),
        text=tuple(Shape(batch=batch, tokens=tokens, uneven=True) for batch, tokens in _MIXED),
        description="one request of each shape in turn, as a service gets them: what is compiled, made or kept anew",
        step_timeout_s=900.0,
    ),
    Workload(
        name="throughput",
        images=(Shape(batch=112, pixels=224),),
        text=(Shape(batch=56, tokens=384),),
        description="Intel's published throughput batches for ResNet50 (112) and BERT SQuAD (56 x 384)",
        inputs=1,
        step_timeout_s=1800.0,
    ),
    Workload(
        name="example",
        images=(Shape(batch=128, pixels=224),),
        text=(Shape(batch=128, tokens=512),),
        description="the shapes of ipex's published example scripts; minutes for each, so run once",
        inputs=1,
        once=True,
        step_timeout_s=3600.0,
    ),
)

#: The backend that everything is held against, in eager FP32: PyTorch as it is.
REFERENCE_BACKEND = "stock"


class Limit(StrEnum):
    """In which way a combination runs that is not all that its name promises."""

    SIMULATED = "simulated"  # INT8 values in float kernels
    PARTIAL = "partial"  # INT8 that reaches part of the model
    EMULATED = "emulated"  # without instructions for the type


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """Whether a backend can run a combination, and what the user must know about it.

    ``reason`` is set when it cannot; ``limit``, and ``caveat`` with what is to be known of it, when it runs
    but is not all that its name promises.
    """

    reason: str | None = None
    limit: Limit | None = None
    caveat: str = ""

    @property
    def supported(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One model x backend x mode x precision x workload."""

    model: str
    backend: str
    mode: Mode
    precision: Precision
    workload: str

    @property
    def id(self) -> str:
        return "-".join(self.names)

    @property
    def reference(self) -> Variant:
        """The same model and workload in stock eager FP32: what outputs are held against."""
        return replace(self, backend=REFERENCE_BACKEND, mode=Mode.EAGER, precision=Precision.FP32)

    @property
    def names(self) -> tuple[str, ...]:
        """What its id is made of."""
        return self.model, self.backend, self.mode.value, self.precision.value, self.workload


def workload(name: str) -> Workload:
    """The workload of that name; KeyError if there is none."""
    return _workloads_by_name()[name]


def named_workloads(names: str) -> tuple[str, ...]:
    """Comma-separated names, or ``all``; UsageError on one that there is not."""
    known = tuple(_workloads_by_name())
    if names == "all":
        return known
    chosen = tuple(names.split(","))
    if unknown := [name for name in chosen if name not in known]:
        raise UsageError(f"--workload: no workload {', '.join(unknown)}; there are {', '.join(known)}, all")
    return chosen


@functools.cache
def _workloads_by_name() -> dict[str, Workload]:
    return {w.name: w for w in WORKLOADS}


def matrix(models: tuple[str, ...], backends: tuple[str, ...], workloads: tuple[str, ...]) -> Iterator[Variant]:
    """Every combination, supported or not, in reading order."""
    for model in models:
        for backend in backends:
            for mode in Mode:
                for precision in Precision:
                    for name in workloads:
                        yield Variant(model=model, backend=backend, mode=mode, precision=precision, workload=name)

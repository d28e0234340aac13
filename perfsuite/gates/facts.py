"""What a violation says of kernels: which they are, and whose shares make up a figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from perfsuite.evidence.coverage import Coverage
from perfsuite.records.evidence import Kernel
from perfsuite.records.violation import Part

#: Less is rounding of shapes, as where a fusion pads channels; of a share of the work.
LEAST_SHARE = 0.005


def kernel_name(kernel: Kernel) -> str:
    """Operation, implementation and type: "convolution jit:avx512_core (fp32)"."""
    return f"{kernel.operation} {kernel.implementation or kernel.source.value} ({kernel.dtype})"


def names(kernels: Iterable[Kernel]) -> tuple[str, ...]:
    """Each kind with its calls in front, the most multiply-accumulates first."""
    counts: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    for kernel in kernels:
        counts[kernel_name(kernel)] += kernel.count
        macs[kernel_name(kernel)] += kernel.macs or 0
    return tuple(f"{counts[kind]} {kind}" for kind, _ in macs.most_common())


def reference_calls(kernels: Iterable[Kernel]) -> Counter[str]:
    """How often each kind of reference kernel ran."""
    counts: Counter[str] = Counter()
    for kernel in kernels:
        if kernel.reference:
            counts[kernel_name(kernel)] += kernel.count
    return counts


def other_types(found: Coverage, dtype: str) -> tuple[Part, ...]:
    """Who does the multiply-accumulates in the place of the type, the most first; "" is a type that is not told."""
    return parts((other, found.of_work(macs)) for other, macs in found.by_dtype().items() if other != dtype)


def parts(shares: Iterable[tuple[str, float]]) -> tuple[Part, ...]:
    """Those that are worth a word, in their order."""
    return tuple(Part(name=one, share=share) for one, share in shares if share >= LEAST_SHARE)


def reference_parts(found: Coverage) -> tuple[Part, ...]:
    """What reference kernels carry of the work and of the time."""
    return (
        Part(name="work", share=found.of_work(found.reference_macs)),
        Part(name="time", share=found.reference_s / found.total_s if found.total_s else 0.0),
    )

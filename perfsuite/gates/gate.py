"""Evidence x expectation x machine -> what is wrong. These checks know no noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from perfsuite.evidence.coverage import Coverage, coverage
from perfsuite.gates.expectations import Expectation
from perfsuite.gates.offer import Offer, amx, offer
from perfsuite.machine.cpu import Cpu
from perfsuite.records.evidence import Evidence, Kernel
from perfsuite.records.isa import Isa

#: Kernels that a sentence names before it counts the rest.
_NAMED = 3
#: Less than this is rounding of shapes, as where a fusion pads channels.
_LOST_SHARE = 0.005


def violations(
    evidence: Evidence,
    expected: Expectation,
    *,
    cpu: Cpu,
    environ: Mapping[str, str],
    require_amx: bool,
) -> tuple[str, ...]:
    """One sentence for each expectation that the kernels do not meet; ``environ`` is the worker's."""
    found = coverage(evidence)
    offered = offer(expected.dtype, cpu, environ, evidence.stack_answers) if expected.dtype else None
    return (
        *(_precision(evidence, found, expected) if offered and offered.best is not Isa.GENERIC else ()),
        *(_isa(evidence, found, expected, offered) if offered and expected.least_best_isa_share else ()),
        *(_required_amx(evidence, expected, offered, cpu, environ) if offered and require_amx else ()),
        *_reference(evidence, found, expected),
        *_graph_breaks(evidence, expected),
    )


def losses(before: Evidence, after: Evidence, expected: Expectation) -> tuple[str, ...]:
    """What the baseline's kernels did and these do not, though both may still be within bounds."""
    lost = []
    if expected.dtype:
        was, now = coverage(before).of_dtype(expected.dtype), coverage(after).of_dtype(expected.dtype)
        if was - now > _LOST_SHARE:
            lost.append(f"{expected.dtype} does {now:.1%} of the multiply-accumulates, {was:.1%} in the baseline")
    breaks = [sum(item.count for item in one.graphs.breaks) if one.graphs else 0 for one in (before, after)]
    if breaks[1] > breaks[0]:
        lost.append(f"{breaks[1]} graph breaks, {breaks[0]} in the baseline")
    return tuple(lost)


def _precision(evidence: Evidence, found: Coverage, expected: Expectation) -> Iterator[str]:
    if found.of_dtype(expected.dtype) >= expected.least_share:
        return
    others = [
        f"{dtype or 'an unknown type'} does {macs / found.total_macs:.0%}"
        for dtype, macs in found.by_dtype().items()
        if dtype != expected.dtype
    ]
    others += [f"{found.unattributed:.0%} is unattributed"] if found.unattributed > 0.005 else []
    kernels = [kernel for kernel in evidence.kernels if kernel.macs and kernel.dtype != expected.dtype]
    yield (
        f"precision lost: {expected.dtype} does {found.of_dtype(expected.dtype):.0%} of the multiply-accumulates, "
        f"expected at least {expected.least_share:.0%}; {', '.join(others)} ({names(kernels)})"
    )


def _isa(evidence: Evidence, found: Coverage, expected: Expectation, offered: Offer) -> Iterator[str]:
    shares = found.by_isa(expected.dtype)
    best = sum(share for isa, share in shares.items() if offered.accepts(isa))
    if offered.best is Isa.GENERIC or not shares or best >= expected.least_best_isa_share:
        return
    rest = ", ".join(
        f"{'unstated' if isa is Isa.UNKNOWN else isa} {share:.0%}"
        for isa, share in shares.items()
        if not offered.accepts(isa) and share >= 0.005
    )
    kernels = [
        kernel
        for kernel in evidence.kernels
        if kernel.macs and kernel.dtype == expected.dtype and not offered.accepts(kernel.isa)
    ]
    why = offered.obstacle or "nothing forbids it: unused"
    yield (
        f"{offered.best} is not used: it does {best:.0%} of the {expected.dtype} work, expected at least "
        f"{expected.least_best_isa_share:.0%}; {rest} ({names(kernels)}); {offered.best} on this machine: {why}"
    )


def _required_amx(
    evidence: Evidence, expected: Expectation, offered: Offer, cpu: Cpu, environ: Mapping[str, str]
) -> Iterator[str]:
    """AMX is asked for: it must at least be there."""
    if expected.least_best_isa_share and expected.dtype in ("bf16", "int8") and offered.best is not Isa.AMX:
        yield f"--require-isa amx: {amx(expected.dtype, cpu, environ, evidence.stack_answers).reason}"


def _reference(evidence: Evidence, found: Coverage, expected: Expectation) -> Iterator[str]:
    work, time = found.reference_macs / found.total_macs, found.reference_s / found.total_s
    if max(work, time) > expected.most_reference_share:
        kernels = [kernel for kernel in evidence.kernels if kernel.reference]
        yield (
            f"reference kernels carry {work:.0%} of the work and {time:.0%} of the time, at most "
            f"{expected.most_reference_share:.0%} accepted ({names(kernels)})"
        )


def _graph_breaks(evidence: Evidence, expected: Expectation) -> Iterator[str]:
    breaks = evidence.graphs.breaks if evidence.graphs else ()
    count = sum(item.count for item in breaks)
    if count > expected.graph_breaks:
        yield f"{count} graph breaks, {expected.graph_breaks} accepted: {'; '.join(item.reason for item in breaks)}"


def names(kernels: list[Kernel]) -> str:
    """Kernels by operation, implementation and type, the most multiply-accumulates first."""
    counts: dict[str, tuple[int, int]] = {}
    for kernel in kernels:
        implementation = kernel.implementation or kernel.source.value
        name = f"{kernel.operation} {implementation} ({kernel.dtype})"
        count, macs = counts.get(name, (0, 0))
        counts[name] = count + kernel.count, macs + (kernel.macs or 0)
    ordered = sorted(counts.items(), key=lambda item: -item[1][1])
    listed = [f"{count} {name}" for name, (count, _) in ordered[:_NAMED]]
    if len(ordered) > _NAMED:
        listed.append(f"{len(ordered) - _NAMED} more kinds")
    return ", ".join(listed) or "no kernels"

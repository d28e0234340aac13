"""Evidence for a terminal. Pure: records in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from perfsuite.evidence.coverage import coverage
from perfsuite.records.evidence import Evidence, Kernel
from perfsuite.records.explanation import Difference, EvidenceChange
from perfsuite.records.isa import Isa
from perfsuite.report.sentences import moved, only_one_side
from perfsuite.report.text import milliseconds
from perfsuite.spec import Variant

_KERNELS_SHOWN = 12
_LEAST_SHOWN = 0.005  # what a line rounds to 1 %
_SIZES = {"resident_bytes": "the prepared model", "peak_rss_bytes": "peak memory", "artefact_bytes": "the artefact"}
_COLUMNS = f"{'calls':>6} {'time':>9} {'MACs':>8}  {'type':5} {'ISA':12} kernel"


def coverage_line(evidence: Evidence) -> str:
    """Who does the multiply-accumulates: "bf16 97% (amx 90%, unstated 10%), fp32 3% (no instruction set stated)"."""
    found = coverage(evidence)
    parts = [
        f"{dtype or 'untyped'} {found.of_work(macs):.0%} ({_isas_of_work(found.by_isa(dtype))})"
        for dtype, macs in found.by_dtype().items()
        if found.of_work(macs) >= _LEAST_SHOWN
    ]
    if found.unattributed >= _LEAST_SHOWN:
        parts.append(f"unattributed {found.unattributed:.0%}")
    if found.reference_macs or found.reference_s:
        share = max(found.of_work(found.reference_macs), found.reference_s / found.total_s)
        parts.append(f"reference kernels {share:.1%}")
    return ", ".join(parts) or "no multiply-accumulates"


def _isas_of_work(shares: Mapping[Isa, float]) -> str:
    """What is not stated the gates cannot hold against anything, so that the line has to say it."""
    return "no instruction set stated" if shares.keys() == {Isa.UNKNOWN} else _isas(shares)


def _isas(shares: Mapping[Isa, float]) -> str:
    seen = {isa: share for isa, share in shares.items() if share >= _LEAST_SHOWN}
    return ", ".join(f"{'unstated' if isa is Isa.UNKNOWN else isa} {share:.0%}" for isa, share in seen.items())


def evidence_lines(observed: Sequence[tuple[Variant, Evidence]]) -> list[str]:
    """The end of a run: for each variant who does the work, graph breaks and sizes."""
    width = max((len(variant.id) for variant, _ in observed), default=0)
    lines = [f"{'variant':{width}}  model MB  peak MB  multiply-accumulates by type (and instruction set)"]
    for variant, evidence in observed:
        breaks = evidence.break_reasons.total()
        recompiles = len(evidence.graphs.recompiles) if evidence.graphs else 0
        graphs = f"; graph breaks {breaks}, recompiles {recompiles}" if breaks or recompiles else ""
        unread = f"; {evidence.unread.count} lines not understood" if evidence.unread.count else ""
        lines.append(
            f"{variant.id:{width}}  {evidence.footprint.resident_bytes / 1e6:8.0f}  "
            f"{evidence.footprint.peak_rss_bytes / 1e6:7.0f}  {coverage_line(evidence)}{graphs}{unread}"
        )
    return lines


def change_lines(changes: Mapping[Variant, Sequence[EvidenceChange]]) -> list[str]:
    """What differs from the baseline's evidence; times are judged elsewhere."""
    same = sum(not found for found in changes.values())
    lines = [f"as in the baseline: {same} of {len(changes)}"]
    for variant, found in changes.items():
        lines += [f"{variant.id}: {change_line(change)}" for change in found]
    return lines


def change_line(change: EvidenceChange) -> str:
    """One difference between two evidences."""
    subject, before, after = change.subject, change.before, change.after
    match change.kind:
        case Difference.MOVED:
            return moved(change.changes)
        case Difference.ONE_SIDED:
            return only_one_side(change.changes, "kernels")
        case Difference.SHARE:
            return f"{subject or 'an unknown type'} does {after:.1%} of the work, was {before:.1%}"
        case Difference.BREAKS if after > before:
            return f"{after - before} new graph breaks: {subject}"
        case Difference.BREAKS:
            return f"{before - after} graph breaks fewer: {subject}"
        case Difference.RECOMPILES:
            return f"{after} recompiles, was {before}"
        case Difference.SIZE:
            return f"{_SIZES[subject]} takes {after / 1e6:.0f} MB, was {before / 1e6:.0f} MB"


def kernel_table_lines(variant: Variant, evidence: Evidence) -> list[str]:
    """One variant in full: libraries, kernels by time, coverage of work and time, graphs, sizes."""
    found = coverage(evidence)
    lines = [f"{variant.id}: {milliseconds(evidence.forward_s)} a pass, {_count(evidence.model_macs)} MACs"]
    lines += [f"  {one.name} {one.version}: {one.isa}" for one in evidence.libraries]
    lines += [_COLUMNS]
    merged = _merged(evidence.kernels)
    for kernel, shapes in merged[:_KERNELS_SHOWN]:
        isa = "" if kernel.isa is Isa.UNKNOWN else kernel.isa.value
        name = " ".join(filter(None, (kernel.operation, kernel.implementation or f"({kernel.source})")))
        name += f", {shapes} shapes" if shapes > 1 else ""
        time = milliseconds(kernel.time_s)
        lines.append(f"{kernel.count:6} {time:>9} {_count(kernel.macs or 0):>8}  {kernel.dtype:5} {isa:12} {name}")
    if rest := merged[_KERNELS_SHOWN:]:
        rest_s = sum(kernel.time_s for kernel, _ in rest)
        lines.append(
            f"{sum(kernel.count for kernel, _ in rest):6} {milliseconds(rest_s):>9} {'':8}  {len(rest)} more kinds"
        )
    lines.append(f"work: {coverage_line(evidence)}")
    times = [
        f"{share.dtype or 'untyped'} {_isas({share.isa: share.time_s / found.total_s})}"
        for share in found.shares
        if share.time_s / found.total_s >= _LEAST_SHOWN
    ]
    times.append(f"without multiply-accumulates {found.other_s / found.total_s:.0%}")
    times.append(f"unattributed {found.unattributed_time:.0%}")
    lines.append(f"time: {', '.join(times)}")
    if evidence.graphs:
        graphs = evidence.graphs
        lines.append(
            f"graphs: {graphs.compiled} compiled in {graphs.compile_s:.1f} s, "
            f"{evidence.break_reasons.total()} breaks, {len(graphs.recompiles)} recompiles"
        )
        lines += [f"  break ({item.count}): {item.reason}" for item in graphs.breaks]
    foot = evidence.footprint
    artefact = f", artefact {foot.artefact_bytes / 1e6:.0f} MB" if foot.artefact_bytes else ""
    lines.append(
        f"prepared in {foot.prepare_s:.1f} s, first inference {milliseconds(foot.first_inference_s)}, "
        f"model {foot.resident_bytes / 1e6:.0f} MB, peak {foot.peak_rss_bytes / 1e6:.0f} MB{artefact}"
    )
    busy = evidence.amx_busy
    cycles = f"{busy.cycles:,} cycles" if busy.cycles is not None else f"not readable ({busy.reason})"
    lines.append(f"exe.amx_busy: {cycles}")
    if evidence.unread.count:
        lines.append(f"{evidence.unread.count} lines not understood, such as: {evidence.unread.samples[0]}")
    return lines


def _merged(kernels: Iterable[Kernel]) -> list[tuple[Kernel, int]]:
    """Kernels without regard to shape, and how many shapes each had, by time."""
    groups: dict[tuple[str, str, str, str], list[Kernel]] = {}
    for kernel in kernels:
        key = (kernel.source.value, kernel.operation, kernel.implementation, kernel.dtype)
        groups.setdefault(key, []).append(kernel)
    merged = [
        (
            Kernel(
                source=group[0].source,
                operation=group[0].operation,
                implementation=group[0].implementation,
                isa=group[0].isa,
                dtype=group[0].dtype,
                tensors="",
                problem="",
                count=sum(kernel.count for kernel in group),
                time_s=sum(kernel.time_s for kernel in group),
                macs=sum(kernel.macs or 0 for kernel in group),
            ),
            len({kernel.problem for kernel in group}),
        )
        for group in groups.values()
    ]
    return sorted(merged, key=lambda pair: -pair[0].time_s)


def _count(number: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)

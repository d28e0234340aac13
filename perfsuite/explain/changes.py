"""What one evidence shows that an earlier one of the same variant did not."""

from __future__ import annotations

from collections.abc import Iterator

from perfsuite.evidence.coverage import coverage
from perfsuite.explain.matching import match
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import Difference, EvidenceChange, KernelChange

#: Sizes in memory differ by up to 6 % between workers of the same variant here (allocators keep
#: what threads freed); a tenth is beyond that.
LEAST_SIZE_RATIO = 1.1
#: A share of the work that moves by less than this is rounding of shapes.
_LEAST_SHARE = 0.005
_SIZES = ("resident_bytes", "peak_rss_bytes", "artefact_bytes")


def evidence_changes(before: Evidence, after: Evidence) -> tuple[EvidenceChange, ...]:
    """Changed kernels, coverage, graphs and sizes; times are not compared."""
    return (*_kernels(before, after), *_coverage(before, after), *_graphs(before, after), *_sizes(before, after))


def _kernels(before: Evidence, after: Evidence) -> Iterator[EvidenceChange]:
    changes = match(before.kernels, after.kernels)
    if paired := tuple(change for change in changes if change.before and change.after and _is_other(change)):
        yield EvidenceChange(kind=Difference.MOVED, changes=paired)
    # What does no multiply-accumulates comes and goes with the profiler's threshold.
    alone = tuple(change for change in changes if not (change.before and change.after) and change.any_side.macs)
    if alone:
        yield EvidenceChange(kind=Difference.ONE_SIDED, changes=alone)


def _is_other(change: KernelChange) -> bool:
    before, after = change.before, change.after
    assert before is not None
    assert after is not None
    return (before.implementation, before.dtype, before.isa) != (after.implementation, after.dtype, after.isa)


def _coverage(before: Evidence, after: Evidence) -> Iterator[EvidenceChange]:
    was, now = coverage(before), coverage(after)
    for dtype in {**was.by_dtype(), **now.by_dtype()}:
        if abs(was.of_dtype(dtype) - now.of_dtype(dtype)) >= _LEAST_SHARE:
            yield EvidenceChange(
                kind=Difference.SHARE, subject=dtype, before=was.of_dtype(dtype), after=now.of_dtype(dtype)
            )


def _graphs(before: Evidence, after: Evidence) -> Iterator[EvidenceChange]:
    """New breaks first."""
    breaks = before.break_reasons, after.break_reasons
    for reason in (*(breaks[1] - breaks[0]), *(breaks[0] - breaks[1])):
        yield EvidenceChange(kind=Difference.BREAKS, subject=reason, before=breaks[0][reason], after=breaks[1][reason])
    was, now = (len(one.graphs.recompiles) if one.graphs else 0 for one in (before, after))
    if was != now:
        yield EvidenceChange(kind=Difference.RECOMPILES, before=was, after=now)


def _sizes(before: Evidence, after: Evidence) -> Iterator[EvidenceChange]:
    for name in _SIZES:
        was, now = getattr(before.footprint, name), getattr(after.footprint, name)
        if was and now and max(now / was, was / now) >= LEAST_SIZE_RATIO:
            yield EvidenceChange(kind=Difference.SIZE, subject=name, before=was, after=now)

"""What one evidence shows that an earlier one of the same variant did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from perfsuite.evidence.coverage import coverage
from perfsuite.explain.matching import match
from perfsuite.explain.sentences import moved, only_one_side
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import KernelChange

#: Sizes in memory differ by up to 6 % between workers of the same variant here (allocators keep
#: what threads freed); a tenth is beyond that.
LEAST_SIZE_RATIO = 1.1
#: A share of the work that moves by less than this is rounding of shapes.
_LEAST_SHARE = 0.005


def evidence_changes(before: Evidence, after: Evidence) -> tuple[str, ...]:
    """One sentence each for changed kernels, coverage, graphs, sizes; times are not compared."""
    return (*_kernels(before, after), *_coverage(before, after), *_graphs(before, after), *_sizes(before, after))


def _kernels(before: Evidence, after: Evidence) -> Iterator[str]:
    changes = match(before.kernels, after.kernels)
    if paired := [change for change in changes if change.before and change.after and _is_other(change)]:
        yield moved(paired)
    # What does no multiply-accumulates comes and goes with the profiler's threshold.
    alone = [change for change in changes if not (change.before and change.after) and change.any_side.macs]
    if alone:
        yield only_one_side(alone, "kernels")


def _is_other(change: KernelChange) -> bool:
    before, after = change.before, change.after
    assert before is not None
    assert after is not None
    return (before.implementation, before.dtype, before.isa) != (after.implementation, after.dtype, after.isa)


def _coverage(before: Evidence, after: Evidence) -> Iterator[str]:
    was, now = coverage(before), coverage(after)
    for dtype in {**was.by_dtype(), **now.by_dtype()}:
        if abs(was.of_dtype(dtype) - now.of_dtype(dtype)) >= _LEAST_SHARE:
            name = dtype or "an unknown type"
            yield f"{name} does {now.of_dtype(dtype):.1%} of the work, was {was.of_dtype(dtype):.1%}"


def _graphs(before: Evidence, after: Evidence) -> Iterator[str]:
    breaks = [
        Counter({item.reason: item.count for item in one.graphs.breaks} if one.graphs else {})
        for one in (before, after)
    ]
    for reason, count in (breaks[1] - breaks[0]).items():
        yield f"{count} new graph breaks: {reason}"
    for reason, count in (breaks[0] - breaks[1]).items():
        yield f"{count} graph breaks fewer: {reason}"
    was, now = (len(one.graphs.recompiles) if one.graphs else 0 for one in (before, after))
    if was != now:
        yield f"{now} recompiles, was {was}"


def _sizes(before: Evidence, after: Evidence) -> Iterator[str]:
    names = {"resident_bytes": "the prepared model", "peak_rss_bytes": "peak memory", "artefact_bytes": "the artefact"}
    for name, what in names.items():
        was, now = getattr(before.footprint, name), getattr(after.footprint, name)
        if was and now and max(now / was, was / now) >= LEAST_SIZE_RATIO:
            yield f"{what} takes {now / 1e6:.0f} MB, was {was / 1e6:.0f} MB"

"""What instances got done together, in figures and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from perfsuite.records.measurement import Measurement
from perfsuite.records.throughput import Throughput, throughput
from perfsuite.report.text import milliseconds

#: An instance that gets less done than this part of what each would, if all did as much, is named (judgement).
_LEAST_SHARE = 0.9


def rate(items_per_s: float) -> str:
    """Four figures, which is what 0.1 % needs."""
    return f"{items_per_s:.4g}" if items_per_s < 1e4 else f"{items_per_s:.0f}"


def throughput_lines(measurements: Iterable[Measurement]) -> Iterator[str]:
    """Of each measurement whose instances started together."""
    for one in measurements:
        if found := throughput(one.replicates):
            done = f"{rate(found.items_per_s)} items/s by {one.machine.instances} instances"
            yield f"{one.variant.id}: {done}; {_load(found)}"
            yield from (f"  {line}" for line in slow_lines(found))


def _load(found: Throughput) -> str:
    quantiles = zip((50, 90, 99), (found.p50_s, found.p90_s, found.p99_s), strict=True)
    told = ", ".join(f"{milliseconds(seconds)} (p{part})" for part, seconds in quantiles)
    return f"a pass under that load takes {told}, of {found.passes}"


def slow_lines(found: Throughput) -> Iterator[str]:
    """Instances that get far less done than the others."""
    for number, share in enumerate(found.shares, start=1):
        if share < _LEAST_SHARE:
            yield (
                f"instance {number} of {len(found.shares)} is slow: {share:.0%} of the passes that each would have "
                "made if all were alike"
            )

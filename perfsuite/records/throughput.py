"""What several instances get done together, and how long a pass takes under that load."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from perfsuite.records.measurement import Replicate
from perfsuite.stats.location import quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Items per second of all instances, over the time in which all run, and quantiles of the passes' latencies.

    The rate is of the blocks that ratios are made of, the faster half; the quantiles are of every pass. ``shares`` is
    what each instance got done, in the order of the seats: 1 where all did as much.
    """

    items_per_s: float
    p50_s: float
    p90_s: float
    p99_s: float
    passes: int
    shares: tuple[float, ...]


def throughput(replicates: Sequence[Replicate]) -> Throughput | None:
    """Of replicates of as many instances; None where these did not start together, and where there is none."""
    rates = [rate for replicate in replicates if (rate := replicate.items_per_s) is not None]
    if not rates or len(rates) < len(replicates):
        return None
    latencies_s = [latency * 1e-9 for replicate in replicates for latency in replicate.latencies_ns]
    p50_s, p90_s, p99_s = (quantile(latencies_s, part) for part in (0.5, 0.9, 0.99))
    loads = [block.load.passes for replicate in replicates for block in replicate.blocks if block.load]
    passes = [sum(some) for some in zip(*loads, strict=True)]
    return Throughput(
        items_per_s=statistics.geometric_mean(rates),
        p50_s=p50_s,
        p90_s=p90_s,
        p99_s=p99_s,
        passes=len(latencies_s),
        shares=tuple(mine * len(passes) / sum(passes) for mine in passes),
    )

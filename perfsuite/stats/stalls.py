"""How much of a worker's time passes in iterations that take far longer than its others."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

#: From so many medians on an iteration is a stall. Judgement: a neighbour on the same core doubles an iteration, two
#: treble it, and longer ones are something else's doing.
STALL_TIMES = 4.0


def stall_share(latencies: Sequence[float]) -> float:
    """The part of all iterations' time that stalls take, between 0 and 1; 0 of fewer than two iterations."""
    if len(latencies) < 2:
        return 0.0
    longest = STALL_TIMES * statistics.median(latencies)
    return sum(latency for latency in latencies if latency > longest) / sum(latencies)

"""Which variant one more replicate tells most of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from perfsuite.spec import Variant
from perfsuite.stats.moderated import Variance, moderated


def noisiest(latencies_s: Mapping[Variant, Sequence[float]]) -> Variant:
    """The variant whose latency is known worst: by the variance of its logarithms' mean, moderated by all variants.

    One of which nothing tells how much it varies comes before any other.
    """
    logs = [list(map(math.log, latencies)) for latencies in latencies_s.values()]
    own = [
        Variance(value=statistics.variance(mine) if len(mine) > 1 else 0.0, freedom=max(0.0, len(mine) - 1.0))
        for mine in logs
    ]
    unknown = [
        variance.value / len(mine) if variance.freedom > 0 else math.inf
        for variance, mine in zip(moderated(own), logs, strict=True)
    ]
    return list(latencies_s)[unknown.index(max(unknown))]

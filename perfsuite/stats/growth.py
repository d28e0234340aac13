"""How much more memory a process holds with every iteration."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import accumulate, combinations

#: The fewest readings whose slope is no luck: of four, the median slope bears one that is far off.
_LEAST_READINGS = 4


def growth_bytes_per_iteration(resident_bytes: Sequence[int | None], iterations: Sequence[int]) -> float | None:
    """The slope of what a process held at the end of each block, over the iterations run by then; below 0: it shrank.

    ``iterations`` counts each block's own. None where fewer than four blocks were read. The slope is the median of
    those between any two blocks (Theil and Sen; Sen 1968, JASA 63): an allocator that takes a few megabytes once, at
    the beginning or in between, moves it little, and a model that keeps something at every pass moves it by all that.
    """
    readings = [
        (held, count) for held, count in zip(resident_bytes, accumulate(iterations), strict=True) if held is not None
    ]
    if len(readings) < _LEAST_READINGS:
        return None
    return statistics.median(
        (later - held) / (until - count) for (held, count), (later, until) in combinations(readings, 2) if until > count
    )

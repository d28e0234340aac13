"""Where the middle of a few numbers lies."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import combinations_with_replacement


def hodges_lehmann(numbers: Sequence[float]) -> float:
    """The median of the means of all pairs, each number with itself too (Hodges and Lehmann 1963).

    Of normal data it is nearly as exact as the mean (its variance is 5 % larger; the median's 57 %),
    and up to 29 % of the numbers may be wild, as rounds that met a burst of the machine are.
    """
    return statistics.median((one + other) / 2 for one, other in combinations_with_replacement(numbers, 2))

"""What a pass takes where others only ever make it longer."""

from __future__ import annotations

import math
from collections.abc import Sequence


def fastest_half_mean(latencies: Sequence[float]) -> float:
    """The geometric mean of the faster half of some latencies; of an odd number, the middle one counts half.

    What disturbs a pass on a shared machine makes it longer, never shorter: the faster half says more
    of the program, the slower half more of its neighbours. (Chen and Revels 2016, "Robust benchmarking
    in noisy environments", go as far as the minimum, but of eight iterations that is luck.)

    Measured on two busy cores, 150 pairs of processes of one stack: a pair's ratio has a standard
    deviation of 1.7 %; by the middle of paired rounds (Hodges and Lehmann) it is 2.2 %, by medians
    2.6 %, by means 2.8 %. Of normal noise it would be 17 % more than by means.
    """
    logs = sorted(map(math.log, latencies))
    half, whole = len(logs) / 2, len(logs) // 2
    total = sum(logs[:whole])
    if half > whole:
        total += logs[whole] / 2
    return math.exp(total / half)


def slowest_quarter_mean(latencies: Sequence[float]) -> float:
    """The geometric mean of the slowest quarter: what the faster half leaves out, where it hurts most.

    A whole number of iterations is no need: of five, the slowest and a quarter of the next. Every tenth pass
    four times as long makes it 1.74 times as long (the slower half 1.32 times), while one stall of twenty
    times among a hundred passes makes it 1.13 times as long.
    """
    logs = sorted(map(math.log, latencies), reverse=True)
    quarter = max(1.0, len(logs) / 4)
    whole = int(quarter)
    total = sum(logs[:whole])
    if quarter > whole:
        total += logs[whole] * (quarter - whole)
    return math.exp(total / quarter)


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which that part of at least one lies, straight between the two nearest (Hyndman and Fan's 7)."""
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])

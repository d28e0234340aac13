"""Timing forward passes inside the worker: warm up until steady, then time blocks."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

from perfsuite.records.measurement import Warmup

#: Consecutive windows that must agree before the latency counts as steady, and how closely.
#: After Georges, Buytaert and Eeckhout 2007 (OOPSLA, "Statistically rigorous Java performance
#: evaluation"): variation of the last iterations under 1-2 %. Windows' medians stand for single
#: iterations, whose spread here is up to 5 % when nothing changes any more.
STEADY_WINDOWS = 4
STEADY_SPREAD = 0.02
WINDOW_NS = 100_000_000
WINDOW_ITERATIONS = 3


def time_block(step: Callable[[], object], *, duration_ns: int, iterations: int) -> list[int]:
    """Nanoseconds of each call, for at least that long and at least that many calls."""
    clock = time.perf_counter_ns
    latencies_ns: list[int] = []
    gc.collect()
    gc.disable()
    try:
        end_ns = clock() + duration_ns
        while True:
            before_ns = clock()
            step()
            after_ns = clock()
            latencies_ns.append(after_ns - before_ns)
            if after_ns >= end_ns and len(latencies_ns) >= iterations:
                return latencies_ns
    finally:
        gc.enable()


def is_steady(medians_ns: list[float]) -> bool:
    """Whether the last windows' medians lie within the accepted spread of one another."""
    last = medians_ns[-STEADY_WINDOWS:]
    return len(last) == STEADY_WINDOWS and max(last) - min(last) <= STEADY_SPREAD * min(last)


def warm_up(step: Callable[[], object], *, limit_ns: int) -> Warmup:
    """Run ``step`` until its latency is steady, or ``limit_ns`` is spent."""
    start_ns = time.perf_counter_ns()
    medians_ns: list[float] = []
    iterations = 0
    while True:
        window = time_block(step, duration_ns=WINDOW_NS, iterations=WINDOW_ITERATIONS)
        iterations += len(window)
        medians_ns.append(statistics.median(window))
        spent_ns = time.perf_counter_ns() - start_ns
        if is_steady(medians_ns):
            return Warmup(steady=True, iterations=iterations, duration_ns=spent_ns)
        if spent_ns >= limit_ns:
            return Warmup(steady=False, iterations=iterations, duration_ns=spent_ns)

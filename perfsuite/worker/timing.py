"""Timing forward passes inside the worker: warm up until steady, then time blocks."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

from perfsuite.records.measurement import Warmup
from perfsuite.stats.window import Passes

#: Consecutive windows that must agree before the latency counts as steady, and how closely.
#: After Georges, Buytaert and Eeckhout 2007 (OOPSLA, "Statistically rigorous Java performance
#: evaluation"): variation of the last iterations under 1-2 %. Windows' medians stand for single
#: iterations, whose spread here is up to 5 % when nothing changes any more.
STEADY_WINDOWS = 4
STEADY_SPREAD = 0.02
WINDOW_NS = 100_000_000
WINDOW_ITERATIONS = 3


#: How long before a common start a worker stops sleeping and watches the clock: ten times what Linux may wake it
#: late by (timer slack of 50 us, and a busy scheduler).
_WATCH_NS = 1_000_000


def time_block(step: Callable[[], object], *, duration_ns: int, iterations: int) -> list[int]:
    """Nanoseconds of each call, for at least that long and at least that many calls."""
    return list(time_passes(step, duration_ns=duration_ns, iterations=iterations).latencies_ns)


def time_passes(
    step: Callable[[], object], *, duration_ns: int, iterations: int, start_ns: int | None = None
) -> Passes:
    """Each call's start and duration, for at least that long and at least that many calls.

    ``start_ns`` is when to begin, on the monotonic clock that all processes of a machine share; at once if that is
    over. The time is counted from there.
    """
    clock = time.perf_counter_ns
    starts_ns: list[int] = []
    latencies_ns: list[int] = []
    gc.collect()
    gc.disable()
    try:
        if start_ns is not None:
            _wait_until(start_ns)
        end_ns = (clock() if start_ns is None else start_ns) + duration_ns
        while True:
            before_ns = clock()
            step()
            after_ns = clock()
            starts_ns.append(before_ns)
            latencies_ns.append(after_ns - before_ns)
            if after_ns >= end_ns and len(latencies_ns) >= iterations:
                return Passes(starts_ns=tuple(starts_ns), latencies_ns=tuple(latencies_ns))
    finally:
        gc.enable()


def _wait_until(start_ns: int) -> None:
    if (left_ns := start_ns - _WATCH_NS - time.perf_counter_ns()) > 0:
        time.sleep(left_ns * 1e-9)
    while time.perf_counter_ns() < start_ns:
        pass


def is_steady(medians_ns: list[float]) -> bool:
    """Whether the last windows' medians lie within the accepted spread of one another."""
    last = medians_ns[-STEADY_WINDOWS:]
    return len(last) == STEADY_WINDOWS and max(last) - min(last) <= STEADY_SPREAD * min(last)


def warm_up(step: Callable[[], object], *, limit_ns: int, least_ns: int = 0) -> Warmup:
    """Run ``step`` until its latency is steady and ``least_ns`` are spent, or until ``limit_ns`` are."""
    start_ns = time.perf_counter_ns()
    medians_ns: list[float] = []
    iterations = 0
    while True:
        window = time_block(step, duration_ns=WINDOW_NS, iterations=WINDOW_ITERATIONS)
        iterations += len(window)
        medians_ns.append(statistics.median(window))
        spent_ns = time.perf_counter_ns() - start_ns
        steady = is_steady(medians_ns)
        if (steady and spent_ns >= least_ns) or spent_ns >= limit_ns:
            return Warmup(steady=steady, iterations=iterations, duration_ns=spent_ns)

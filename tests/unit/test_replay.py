"""Replayed durations are the measured ones, to the last bit."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from builders import VARIANT, document, measurement, replicate

from perfsuite.replay import ReplayTimer, replay
from perfsuite.store.documents import stored_session

#: Sums of these would round: 0.1 + 0.2 is the least of it.
LATENCIES_NS = (1, 3, 100_000_001, 200_000_003, 7_777_777_777)
MEASURED = measurement(replicates=(replicate(*LATENCIES_NS[:2]), replicate(*LATENCIES_NS[2:])))


def _durations(timer: ReplayTimer, rounds: int) -> list[float]:
    durations = []
    for _ in range(rounds):
        start = timer()
        durations.append(timer() - start)
    return durations


def test_durations_are_exact_and_in_order() -> None:
    timer = ReplayTimer()
    rounds = timer.load(MEASURED)
    assert rounds == len(LATENCIES_NS)
    assert _durations(timer, rounds) == [latency_ns * 1e-9 for latency_ns in LATENCIES_NS]


def test_there_is_no_more_than_was_measured() -> None:
    timer = ReplayTimer()
    _durations(timer, timer.load(MEASURED))
    timer()
    with pytest.raises(IndexError):
        timer()


def test_a_timer_can_be_loaded_again() -> None:
    timer = ReplayTimer()
    _durations(timer, timer.load(MEASURED))
    assert _durations(timer, timer.load(measurement(5))) == [5e-9]


class _Benchmark:
    """As much of pytest-benchmark's fixture as replaying touches: it times as its ``pedantic`` does.

    The real fixture is tested in tests/plugin: here the plugin deselects whatever asks for it.
    """

    def __init__(self, timer: ReplayTimer) -> None:
        self.timer = timer
        self.extra_info: dict[str, Any] = {}
        self.params: dict[str, Any] = {}
        self.durations: list[float] = []

    def pedantic(self, target: Callable[[], object], *, rounds: int, iterations: int) -> None:
        for _ in range(rounds):
            start = self.timer()
            for _ in range(iterations):
                target()
            self.durations.append(self.timer() - start)


def test_the_record_travels_with_the_durations() -> None:
    timer = ReplayTimer()
    benchmark = _Benchmark(timer)
    replay(cast("Any", benchmark), timer, MEASURED)
    assert benchmark.durations == [latency_ns * 1e-9 for latency_ns in LATENCIES_NS]
    whole = document(MEASURED)
    whole["benchmarks"][0]["extra_info"] = benchmark.extra_info
    assert stored_session(whole).session.measurements == (MEASURED,)
    assert benchmark.params == {"variant": VARIANT.id}

"""Measured latencies replayed into pytest-benchmark's statistics, through its public ``timer``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfsuite.store.documents import KEY, head_fields, measurement_fields

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from perfsuite.records.measurement import Measurement
    from perfsuite.records.session import Session


class ReplayTimer:
    """A clock whose every second reading lies one measured latency after 0.

    pytest-benchmark reads its timer before and after each round; starting from 0 each time keeps
    the durations exact.
    """

    __name__ = "perf_counter_ns in the worker"

    def __init__(self) -> None:
        self._latencies_s: list[float] = []
        self._started = False

    def load(self, measurement: Measurement) -> int:
        """Take the measurement's iterations, all replicates in order; returns how many."""
        self._latencies_s = [
            latency_ns * 1e-9 for replicate in measurement.replicates for latency_ns in replicate.latencies_ns
        ][::-1]
        return len(self._latencies_s)

    def __call__(self) -> float:
        self._started = not self._started
        return 0.0 if self._started else self._latencies_s.pop()


def replay(benchmark: BenchmarkFixture, timer: ReplayTimer, measurement: Measurement) -> None:
    """Let the ``benchmark`` fixture, whose timer is ``timer``, report ``measurement``."""
    benchmark.extra_info[KEY] = measurement_fields(measurement)
    benchmark.params = {"variant": measurement.variant.id}  # what goes into JSON, where a record cannot
    benchmark.pedantic(_nothing, rounds=timer.load(measurement), iterations=1)


def _nothing() -> None:
    """What a replayed round runs."""


def document_of(session: Session) -> dict[str, Any]:
    """A whole session as pytest-benchmark would have written it, from what is kept of it: for who goes on with that."""
    import pytest_benchmark
    from pytest_benchmark.stats import Stats

    benchmarks = []
    for one in session.measurements:
        stats = Stats()
        for replicate in one.replicates:
            for latency_ns in replicate.latencies_ns:
                stats.update(latency_ns * 1e-9)
        name = f"test_latency[{one.variant.id}]"
        benchmarks.append(
            {
                "group": f"{one.variant.model} {one.variant.workload}",
                "name": name,
                "fullname": f"test_speed.py::{name}",
                "params": {"variant": one.variant.id},
                "param": one.variant.id,
                "extra_info": {KEY: measurement_fields(one)},
                "options": {},
                "stats": {field: getattr(stats, field) for field in Stats.fields} | {"iterations": 1},
            }
        )
    return {
        "machine_info": {"node": session.state.node or "", "cpu": {}, "machine": session.machine.slug},
        "commit_info": {"id": session.commit.id, "dirty": session.commit.dirty} if session.commit else {},
        "benchmarks": benchmarks,
        "datetime": session.begun_at,
        "version": pytest_benchmark.__version__,
        KEY: head_fields(session),
    }

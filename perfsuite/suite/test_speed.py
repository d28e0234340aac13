"""Every variant's latency against its baseline, its outputs and kernels at the same shape; under --benchmark-only."""

from collections.abc import Callable

from perfsuite.records.outcome import Outcome


def test_latency(outcome: Outcome, settle: Callable[[Outcome], None]) -> None:
    settle(outcome)

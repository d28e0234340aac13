"""The time in which all instances run, and what each gets done in it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.errors import WorkerError
from perfsuite.measure.crew import loaded_block
from perfsuite.stats.window import Passes, Window


def _passes(start_ns: int, *latencies_ns: int) -> Passes:
    """One after the other, without a gap."""
    starts_ns = [start_ns + sum(latencies_ns[:number]) for number in range(len(latencies_ns))]
    return Passes(starts_ns=tuple(starts_ns), latencies_ns=latencies_ns)


@pytest.mark.parametrize(
    ("instances", "window", "done", "latencies_ns"),
    [
        pytest.param([_passes(0, 10, 10)], (0, 20), [2.0], (10, 10), id="one alone: all of it"),
        pytest.param([_passes(0, 10, 10), _passes(0, 10, 10)], (0, 20), [2.0, 2.0], (10, 10, 10, 10), id="two in step"),
        pytest.param(
            [_passes(0, 10, 10), _passes(0, 30)], (0, 20), [2.0, 2 / 3], (10, 10, 30), id="one of them slower"
        ),
        pytest.param(
            [_passes(0, 10, 10, 10), _passes(5, 10, 10)],
            (5, 25),
            [0.5 + 1 + 0.5, 2.0],
            (10, 10, 10, 10, 10),
            id="one late: what the other did before does not count",
        ),
        pytest.param(
            [_passes(0, 10, 10, 10, 10), _passes(12, 10)],
            (12, 22),
            [0.8 + 0.2, 1.0],
            (10, 10, 10),
            id="passes wholly before and after are left out",
        ),
        pytest.param([_passes(0, 100), _passes(99, 10)], (99, 100), [0.01, 0.1], (100, 10), id="barely together"),
        pytest.param(
            [_passes(0, 10), _passes(0, 10), _passes(0, 5)],
            (0, 5),
            [0.5, 0.5, 1.0],
            (10, 10, 5),
            id="three, the first to end decides",
        ),
        pytest.param(
            [Passes(starts_ns=(0, 15), latencies_ns=(10, 10)), _passes(0, 25)],
            (0, 25),
            [2.0, 1.0],
            (10, 10, 25),
            id="time between passes is nobody's pass",
        ),
    ],
)
def test_what_instances_get_done_while_all_run(
    instances: list[Passes], window: tuple[int, int], done: list[float], latencies_ns: tuple[int, ...]
) -> None:
    found = Window.shared_by(instances)
    assert (found.start_ns, found.end_ns) == window
    assert [found.done(one) for one in instances] == pytest.approx(done)
    block = loaded_block(instances, 3, None)
    assert block.load is not None
    assert block.latencies_ns == latencies_ns
    assert block.load.passes == pytest.approx(done)
    assert block.pass_times_ns == pytest.approx(((window[1] - window[0]) / sum(done),))
    assert block.duration_s == pytest.approx((window[1] - window[0]) * 1e-9)


@pytest.mark.parametrize(
    "instances", [[_passes(0, 10), _passes(10, 10)], [_passes(50, 10), _passes(0, 10), _passes(0, 100)]]
)
def test_instances_that_never_all_ran_tell_nothing(instances: list[Passes]) -> None:
    with pytest.raises(WorkerError, match="no time in which all instances ran: the last began"):
        loaded_block(instances, 1, None)


@pytest.mark.parametrize(("starts_ns", "latencies_ns"), [((), ()), ((0,), ()), ((0, 1), (1,))])
def test_passes_that_cannot_be(starts_ns: tuple[int, ...], latencies_ns: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a start and a duration each"):
        Passes(starts_ns=starts_ns, latencies_ns=latencies_ns)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.integers(100, 500))
def test_instances_of_constant_speed_have_their_rates_whatever_the_edges(
    latencies_ns: list[int], duration_ns: int
) -> None:
    """Each runs until the time is over, as workers do: what is counted at the edges must not depend on luck."""
    instances = [_passes(0, *[latency] * math.ceil(duration_ns / latency)) for latency in latencies_ns]
    block = loaded_block(instances, 1, None)
    assert block.load is not None
    assert block.load.pass_time_ns == pytest.approx(1 / sum(1 / latency for latency in latencies_ns))

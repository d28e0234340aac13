"""Timing blocks and warming up, on a clock that only the step moves: no machine is steady on command."""

import gc
import itertools
import time
from collections.abc import Iterable
from types import SimpleNamespace

import pytest

from perfsuite.records.measurement import Warmup
from perfsuite.worker import timing
from perfsuite.worker.timing import is_steady, time_block, time_passes, warm_up

MS = 1_000_000


class Clock:
    """Stands for ``time``: each step takes the next of ``durations_ns``."""

    def __init__(self, durations_ns: Iterable[int]) -> None:
        self.now_ns = 0
        self.steps = 0
        self._durations_ns = iter(durations_ns)

    def step(self) -> None:
        self.steps += 1
        self.now_ns += next(self._durations_ns)


def _clock(monkeypatch: pytest.MonkeyPatch, durations_ns: Iterable[int]) -> Clock:
    clock = Clock(durations_ns)
    # Real collections cost 20 ms a window in a process that holds all of pytest.
    monkeypatch.setattr(gc, "collect", lambda: 0)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter_ns=lambda: clock.now_ns))
    return clock


@pytest.mark.parametrize(
    ("medians_ns", "steady"),
    [
        ([], False),
        ([100.0] * 3, False),
        ([100.0] * 4, True),
        ([100.0, 100.0, 100.0, 102.0], True),
        ([100.0, 100.0, 100.0, 102.1], False),
        ([102.1, 100.0, 100.0, 100.0], False),
        ([100.0, 101.0, 102.0, 103.0], False),  # a drift, though no step of it is large
        ([500.0, 100.0, 100.0, 100.0, 100.0], True),
        ([100.0, 100.0, 100.0, 100.0, 500.0], False),
    ],
)
def test_is_steady(medians_ns: list[float], steady: bool) -> None:
    assert is_steady(medians_ns) is steady


@pytest.mark.parametrize(
    ("duration_ns", "iterations", "expected"),
    [
        (10 * MS, 1, 4),  # time decides, and is spent in full
        (12 * MS, 1, 4),
        (0, 5, 5),  # count decides
        (0, 0, 1),  # at least one
        (10 * MS, 6, 6),
    ],
)
def test_a_block_lasts_both_its_minimums(
    monkeypatch: pytest.MonkeyPatch, duration_ns: int, iterations: int, expected: int
) -> None:
    clock = _clock(monkeypatch, itertools.repeat(3 * MS))
    found = time_block(clock.step, duration_ns=duration_ns, iterations=iterations)
    assert found == [3 * MS] * expected


def test_each_iteration_is_timed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _clock(monkeypatch, [5, 1, 7])
    assert time_block(clock.step, duration_ns=0, iterations=3) == [5, 1, 7]


def test_a_block_of_real_time() -> None:
    latencies_ns = time_block(lambda: time.sleep(200e-6), duration_ns=2 * MS, iterations=3)
    assert min(latencies_ns) >= 200_000
    assert len(latencies_ns) >= 3


@pytest.mark.parametrize(("late_ns", "begun_ns"), [(-40 * MS, 0), (5 * MS, 5 * MS), (30 * MS, 30 * MS)])
def test_a_common_start_is_waited_for_and_the_time_counts_from_it(
    late_ns: int, begun_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 20 ms in passes of 3: who comes late makes fewer, and one at least."""
    clock = _clock(monkeypatch, itertools.repeat(3 * MS))
    clock.now_ns = late_ns

    def sleep(duration_s: float) -> None:
        clock.now_ns += round(duration_s * 1e9)

    def watch() -> int:
        clock.now_ns += 1000  # who watches the clock takes time
        return clock.now_ns

    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter_ns=watch, sleep=sleep))
    found = time_passes(clock.step, duration_ns=20 * MS, iterations=1, start_ns=0)
    assert found.starts_ns[0] == pytest.approx(begun_ns, abs=5000)
    assert len(found.starts_ns) == max(1, -(-(20 * MS - begun_ns) // (3 * MS)))
    assert found.end_ns >= 20 * MS


def test_a_warm_up_lasts_its_least_time_and_is_steady_or_not_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _clock(monkeypatch, itertools.chain(itertools.repeat(10 * MS, 50), itertools.repeat(20 * MS)))
    found = warm_up(clock.step, limit_ns=700 * MS, least_ns=700 * MS)
    assert (found.steady, found.duration_ns) == (False, 700 * MS)  # it was steady at 10 ms, and is not yet at 20


def test_no_garbage_is_collected_while_timing() -> None:
    seen: list[bool] = []
    time_block(lambda: seen.append(gc.isenabled()), duration_ns=0, iterations=2)
    assert seen == [False, False]
    assert gc.isenabled()


def test_garbage_is_collected_again_after_a_step_that_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        time_block(lambda: 1 / 0, duration_ns=0, iterations=1)
    assert gc.isenabled()


def test_a_steady_step_is_warm_after_the_fewest_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _clock(monkeypatch, itertools.repeat(10 * MS))
    assert warm_up(clock.step, limit_ns=10_000 * MS) == Warmup(steady=True, iterations=40, duration_ns=400 * MS)


def test_slow_first_iterations_are_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _clock(monkeypatch, itertools.chain([3000 * MS, 40 * MS, 40 * MS], itertools.repeat(10 * MS)))
    found = warm_up(clock.step, limit_ns=10_000 * MS)
    assert found.steady
    assert (found.iterations, found.duration_ns) == (clock.steps, clock.now_ns)
    assert found.iterations == 3 + 40  # the first window holds the three slow ones


def test_slow_steps_still_make_whole_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _clock(monkeypatch, itertools.repeat(1000 * MS))
    assert warm_up(clock.step, limit_ns=60_000 * MS).iterations == 12


def test_a_step_that_is_never_steady_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _clock(monkeypatch, (round(10 * MS * 1.01**n) for n in itertools.count()))
    found = warm_up(clock.step, limit_ns=2000 * MS)
    assert not found.steady
    assert (found.iterations, found.duration_ns) == (clock.steps, clock.now_ns)
    assert 2000 * MS <= found.duration_ns < 2200 * MS

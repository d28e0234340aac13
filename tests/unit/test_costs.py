"""What a variant costs beside latency, held against its baseline: just within, just beyond, less, and not told."""

import dataclasses
from collections.abc import Callable

import pytest
from builders import measurement, replicate
from compare_builders import ACCURACY, block, pair, side
from evidence_builders import evidence

from perfsuite.judge.costs import cost_violations, pair_cost_violations, without_noise
from perfsuite.limits import CostLimits
from perfsuite.records.evidence import Graphs
from perfsuite.records.measurement import Block, Measurement, Replicate
from perfsuite.records.violation import Against, Kind, Violation

K = Kind
KIB, MIB = 1 << 10, 1 << 20
LIMITS = CostLimits()


def _worker(**stages: float | None) -> Replicate:
    whole = replicate(1000)
    return dataclasses.replace(whole, stages=dataclasses.replace(whole.stages, **stages))  # type: ignore[arg-type]


def _of(*workers: Replicate) -> Measurement:
    return measurement(replicates=workers or (replicate(1000),))


def _peak(value: float | None) -> Measurement:
    return _of(dataclasses.replace(replicate(1000), peak_rss_bytes=int(value or 0)))


def _grown(value: float | None) -> Measurement:
    """Eight blocks of ten iterations; what was held is not told where ``value`` is None."""

    def one(number: int) -> Block:
        told = block(*[1000] * 10)
        assert told.conditions
        held = None if value is None else 300 * MIB + round(value) * 10 * number
        return dataclasses.replace(told, conditions=dataclasses.replace(told.conditions, resident_bytes=held))

    return _of(dataclasses.replace(replicate(), blocks=tuple(map(one, range(8)))))


def _first_inference(value: float | None) -> Measurement:
    return _of(_worker(first_inference_s=value))


def _prepare(value: float | None) -> Measurement:
    return _of(_worker(prepare_s=value))


def _import(value: float | None) -> Measurement:
    return _of(_worker(import_s=value))


def _compile(value: float | None) -> Measurement:
    graphs = None if value is None else Graphs(compiled=1, breaks=(), recompiles=(), compile_s=value)
    return dataclasses.replace(_of(), evidence=evidence([], graphs=graphs))


def _artefact(value: float | None) -> Measurement:
    found = evidence([])
    footprint = dataclasses.replace(found.footprint, artefact_bytes=value)  # type: ignore[arg-type]
    return dataclasses.replace(_of(), evidence=dataclasses.replace(found, footprint=footprint))


def _accuracy(value: float | None) -> Measurement:
    return dataclasses.replace(_of(), accuracy=dataclasses.replace(ACCURACY, sqnr_db=value))


def _stalls(value: float | None) -> Measurement:
    """So many of a hundred iterations take nine times as long."""
    count = round(value or 0)
    return _stalling(*[1000] * (100 - count), *[9000] * count)


def _stalling(*latencies_ns: int, **conditions: float) -> Measurement:
    """One block of these iterations, in conditions that are calm where nothing is said."""
    one = block(*latencies_ns)
    assert one.conditions
    changed = dataclasses.replace(one.conditions, **conditions)  # type: ignore[arg-type]
    return _of(dataclasses.replace(replicate(), blocks=(dataclasses.replace(one, conditions=changed),)))


#: Of each cost how it is measured, what it was, the most that is allowed, and the least that is not.
COSTS = [
    pytest.param(K.PEAK_MEMORY, _peak, 1000 * MIB, 1100 * MIB, 1101 * MIB, id="peak memory"),
    pytest.param(K.PEAK_MEMORY, _peak, 100 * MIB, 132 * MIB, 133 * MIB, id="peak memory of a small one"),
    pytest.param(K.PEAK_MEMORY, _peak, 307e6, 330e6, 557e6, id="peak memory, as was reported"),
    pytest.param(K.MEMORY_GROWTH, _grown, 0, 64 * KIB, 65 * KIB, id="growth"),
    pytest.param(K.MEMORY_GROWTH, _grown, 2 * KIB, 66 * KIB, 128 * KIB, id="growth from some"),
    pytest.param(K.MEMORY_GROWTH, _grown, -200 * KIB, 64 * KIB, 65 * KIB, id="growth of what shrank"),
    pytest.param(K.FIRST_INFERENCE, _first_inference, 4.0, 6.0, 6.1, id="first inference"),
    pytest.param(K.FIRST_INFERENCE, _first_inference, 0.04, 0.07, 3.01, id="a short first inference"),
    pytest.param(K.PREPARE, _prepare, 4.0, 6.0, 6.1, id="preparing"),
    pytest.param(K.PREPARE, _prepare, 0.5, 1.5, 1.51, id="preparing a small one"),
    pytest.param(K.COMPILE, _compile, 20.0, 30.0, 30.1, id="compiling"),
    pytest.param(K.COMPILE, _compile, 1.0, 3.0, 3.1, id="compiling a small one"),
    pytest.param(K.IMPORT, _import, 8.0, 12.0, 12.1, id="importing"),
    pytest.param(K.IMPORT, _import, 1.0, 3.0, 3.1, id="a short import"),
    pytest.param(K.ARTEFACT_SIZE, _artefact, 100 * MIB, 110 * MIB, 111 * MIB, id="artefact"),
    pytest.param(K.ARTEFACT_SIZE, _artefact, MIB, 2 * MIB, 2 * MIB + 1, id="a small artefact"),
    pytest.param(K.ACCURACY_DRIFT, _accuracy, 40.0, 37.0, 36.9, id="accuracy"),
    pytest.param(K.ACCURACY_DRIFT, _accuracy, 130.0, 118.0, 76.9, id="accuracy of FP32"),
    pytest.param(K.ACCURACY_DRIFT, _accuracy, float("inf"), 118.0, 76.9, id="accuracy of FP32 to the bit"),
    pytest.param(K.STALLS, _stalls, 0, 1, 2, id="stalls"),
]
Measure = Callable[[float | None], Measurement]


@pytest.mark.parametrize(("kind", "measured", "was", "most", "beyond"), COSTS)
def test_a_cost_beyond_its_limit_is_a_violation(
    kind: Kind, measured: Measure, was: float, most: float, beyond: float
) -> None:
    before = measured(was)
    assert cost_violations([before], measured(most), LIMITS) == ()
    (found,) = cost_violations([before], measured(beyond), LIMITS)
    assert (found.kind, found.against) == (kind, Against.BASELINE)
    if kind is not Kind.STALLS:
        assert found.expected == was
        assert found.found == pytest.approx(beyond)


@pytest.mark.parametrize(("kind", "measured", "was", "most", "beyond"), COSTS)
def test_what_costs_less_is_no_violation(kind: Kind, measured: Measure, was: float, most: float, beyond: float) -> None:
    assert cost_violations([measured(beyond)], measured(was), LIMITS) == ()


@pytest.mark.parametrize("told", ["before", "after", "neither"])
@pytest.mark.parametrize(
    ("measured", "much"),
    [
        pytest.param(_grown, 500 * KIB, id="growth"),
        pytest.param(_import, 50.0, id="importing"),
        pytest.param(_compile, 50.0, id="compiling"),
        pytest.param(_artefact, 500 * MIB, id="artefact"),
        pytest.param(_accuracy, 10.0, id="accuracy"),
    ],
)
def test_what_a_side_does_not_tell_is_no_violation(measured: Measure, much: float, told: str) -> None:
    before, after = measured(much if told == "before" else None), measured(much if told == "after" else None)
    assert cost_violations([before], after, LIMITS) == ()


def test_the_least_of_a_session_s_workers_counts() -> None:
    slow, fast = _worker(first_inference_s=9.0), _worker(first_inference_s=1.0)
    assert cost_violations([_of(fast, fast)], _of(slow, fast), LIMITS) == ()
    assert cost_violations([_of(slow, fast)], _of(slow, slow), LIMITS) != ()


def test_the_median_of_the_baseline_s_sessions_counts() -> None:
    short, long = _of(_worker(prepare_s=1.0)), _of(_worker(prepare_s=4.0))
    assert cost_violations([long, long, short], long, LIMITS) == ()
    assert cost_violations([short, short, long], long, LIMITS) != ()


@pytest.mark.parametrize(
    ("measured", "found"),
    [
        pytest.param(_first_inference, False, id="first inference"),
        pytest.param(_prepare, False, id="preparing"),
        pytest.param(_compile, False, id="compiling"),
        pytest.param(_import, False, id="importing"),
        pytest.param(lambda value: _peak((value or 0) * 100 * MIB), True, id="peak memory"),
    ],
)
def test_times_may_be_as_much_longer_as_passes_are(measured: Measure, found: bool) -> None:
    before, after = measured(4.0), measured(16.0)
    assert cost_violations([before], after, LIMITS) != ()
    slow = tuple(dataclasses.replace(one, blocks=replicate(4000).blocks) for one in after.replicates)
    assert bool(cost_violations([before], dataclasses.replace(after, replicates=slow), LIMITS)) is found
    fast = tuple(dataclasses.replace(one, blocks=replicate(250).blocks) for one in after.replicates)
    assert cost_violations([before], dataclasses.replace(after, replicates=fast), LIMITS) != ()


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        pytest.param([(5.0, 800)], [(5.0, 1150)], 1, id="both imported by their launchers"),
        pytest.param([(0.0, 800)], [(0.0, 1150)], 1, id="both import themselves"),
        pytest.param([(5.0, 800)], [(0.0, 1150)], 0, id="only this one imports itself"),
        pytest.param([(0.0, 1150)], [(5.0, 800)], 0, id="only the baseline's did"),
        pytest.param([(5.0, 800), (0.0, 1150)], [(0.0, 1150), (5.0, 800)], 0, id="some of each"),
        pytest.param([(None, 800)], [(5.0, 1150)], 1, id="a file older than imports"),
    ],
)
def test_memory_is_held_against_workers_that_were_launched_alike(
    was: list[tuple[float | None, int]], now: list[tuple[float | None, int]], found: int
) -> None:
    before, after = (
        _of(*(dataclasses.replace(_worker(import_s=import_s), peak_rss_bytes=mib * MIB) for import_s, mib in workers))
        for workers in (was, now)
    )
    assert [one.kind for one in cost_violations([before], after, LIMITS)] == [K.PEAK_MEMORY] * found


def test_a_lone_first_worker_is_held_against_first_workers() -> None:
    """It calibrates, which the second of a session does not."""
    first, second = _worker(prepare_s=12.0), _worker(prepare_s=2.0)
    assert cost_violations([_of(first, second)], _of(first), LIMITS) == ()
    assert cost_violations([_of(first)], _of(first, second), LIMITS) == ()


@pytest.mark.parametrize(
    ("count", "conditions", "told"),
    [
        pytest.param(20, {}, True, id="calm"),
        pytest.param(19, {}, False, id="too few iterations"),
        pytest.param(20, {"others_cpu_s": 0.01, "steal_s": 0.0}, True, id="a tick of others"),
        pytest.param(20, {"others_cpu_s": 0.02, "steal_s": 0.0}, False, id="others use its CPUs"),
        pytest.param(20, {"others_cpu_s": 0.01, "steal_s": 0.01}, False, id="the CPUs are stolen"),
    ],
)
def test_stalls_are_told_by_enough_iterations_that_nobody_disturbed(
    count: int, conditions: dict[str, float], told: bool
) -> None:
    before = _stalling(*[1_000_000] * count)
    stalling = _stalling(*[1_000_000] * (count - 2), 90_000_000, 90_000_000, **conditions)
    assert bool(cost_violations([before], stalling, LIMITS)) is told


@pytest.mark.parametrize(
    ("others_cpu_s", "told"),
    [pytest.param(0.0, True, id="nobody else"), pytest.param(0.01, False, id="a tick of others in each block")],
)
def test_what_others_take_of_short_blocks_is_no_stall_of_the_program(others_cpu_s: float, told: bool) -> None:
    """Of each 40 iterations of 0.1 ms four take 1 ms, so that half of a block of 8 ms is stalls."""
    before = _stalling(*[100_000] * 100)
    (one,) = _stalling(*[100_000] * 36, *[1_000_000] * 4, others_cpu_s=others_cpu_s, steal_s=0.0).replicates
    stalling = _of(dataclasses.replace(one, blocks=one.blocks * 25))
    assert bool(cost_violations([before], stalling, LIMITS)) is told


def test_blocks_of_files_older_than_conditions_tell_of_no_stalls() -> None:
    before = _of(replicate(*[1000] * 100))
    assert cost_violations([before], _stalling(*[1000] * 50, *[9000] * 50), LIMITS) == ()


def test_a_user_s_limit_is_the_one_that_holds() -> None:
    before, after = _peak(1000 * MIB), _peak(1150 * MIB)
    assert cost_violations([before], after, LIMITS) != ()
    assert cost_violations([before], after, CostLimits(peak_memory=0.2)) == ()


def test_what_pairs_cannot_tell_is_without_noise() -> None:
    found = [Violation(kind=kind, expected=1.0, found=2.0) for kind in (K.STALLS, K.ARTEFACT_SIZE, K.ACCURACY_DRIFT)]
    assert without_noise(found) == tuple(found[1:])


def test_pairs_are_held_against_one_another() -> None:
    heavy = side(1000, peak_rss_bytes=1 << 30)
    assert pair_cost_violations([pair(1.0), pair(1.0)], LIMITS) == ()
    heavier = dataclasses.replace(pair(1.0), candidate=heavy)
    found = Violation(kind=K.PEAK_MEMORY, expected=1 << 28, found=1 << 30, against=Against.BASELINE)
    assert pair_cost_violations([heavier, heavier], LIMITS) == (found,)
    assert pair_cost_violations([heavier, pair(1.0)], LIMITS) == ()
    lighter = dataclasses.replace(pair(1.0), baseline=heavy)
    assert pair_cost_violations([lighter, lighter], LIMITS) == ()

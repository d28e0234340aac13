"""What a variant costs beside latency -> what it now takes more of than is allowed. Less is no violation.

Of each worker's cost the least among a session's workers counts: neighbours, cold caches and an allocator's luck
only ever add to one, and what is the program's own every worker pays. As many of each session's first workers count
as all sessions have, for the first calibrates and fills caches for those after it. Of several sessions it is the
median of their least.

Measured under ipex on two cores, minilm and resnet50 in 7 variants, two workers each, loads from 6 to 14: peak memory
differed by 1 % between workers and sessions, by 4 % where the first had compiled; none of 20 workers grew. The second
worker's times were down to a twelfth of the first's (compiling), a third (calibrating). Between sessions of load 7 and
14 times became 2 to 10 times as long, and passes 4 to 6 times: where passes take longer, which is told of as speed,
other times may take longer by as much.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from perfsuite.limits import CostLimits
from perfsuite.records.measurement import Block, Measurement, Replicate
from perfsuite.records.pair import Pair
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.stats.stalls import stall_share

#: What a machine that is slower today makes longer, as it does passes.
_TIMES = (Kind.FIRST_INFERENCE, Kind.PREPARE, Kind.COMPILE, Kind.IMPORT)
#: What compiling takes varies, and is in the first inference, of which pairs tell.
_WITHOUT_NOISE = (Kind.ARTEFACT_SIZE, Kind.ACCURACY_DRIFT)
_MIB = 1 << 20
#: How much more is no news whatever the share, for small costs vary by more than a share of them.
_PEAK_MEMORY_FLOOR_BYTES = 32 * _MIB
_ARTEFACT_FLOOR_BYTES = 1 * _MIB
_FIRST_INFERENCE_FLOOR_S = 0.5
_PREPARING_FLOOR_S = 1.0
_COMPILING_FLOOR_S = 2.0
_IMPORTING_FLOOR_S = 2.0
#: A block is calm if others used no more of its CPUs: a tick of the kernel's clock, and a fiftieth of the time for the
#: system itself (judgement). Beside busy neighbours (minilm and resnet50 under ipex, load 7 on two cores) 2 workers of
#: 14 spent half of their time and more in stalls, all in blocks whose CPUs others used for as long as they took.
_OTHERS_TICK_S, _OTHERS_SHARE = 0.01, 0.02
#: The fewest iterations in calm blocks whose stalls say something (judgement: one of 20 is a twentieth of them).
_LEAST_ITERATIONS = 20
#: Outputs nearer to FP32's than this differ by how sums are rounded, which is nobody's drift: the most that a
#: precision may keep and count as applied (``perfsuite/check/windows.py``).
_ROUNDING_DB = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workers:
    """The workers of one session, in the order in which they were measured, and what was seen of them together."""

    replicates: tuple[Replicate, ...]
    artefact_bytes: float | None = None
    compiling_s: float | None = None
    sqnr_db: float | None = None

    @property
    def latency_s(self) -> float:
        return statistics.geometric_mean(one.latency_s for one in self.replicates)

    @classmethod
    def of(cls, measurement: Measurement) -> _Workers:
        evidence, accuracy = measurement.evidence, measurement.accuracy
        return cls(
            replicates=measurement.replicates,
            artefact_bytes=evidence.footprint.artefact_bytes if evidence else None,
            compiling_s=evidence.graphs.compile_s if evidence and evidence.graphs else None,
            sqnr_db=accuracy.sqnr_db if accuracy else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """One cost: ``of`` some workers, None where it is not told, and the ``most`` it may be where it was so much."""

    kind: Kind
    of: Callable[[_Workers], float | None]
    most: Callable[[float, CostLimits], float]


def cost_violations(before: Sequence[Measurement], after: Measurement, limits: CostLimits) -> tuple[Violation, ...]:
    """What ``after`` takes more of than the baseline's sessions, at least one, did."""
    return tuple(_violations([_Workers.of(one) for one in before], _Workers.of(after), limits))


def pair_cost_violations(pairs: Sequence[Pair], limits: CostLimits) -> tuple[Violation, ...]:
    """What the candidates of at least one pair take more of; what workers do not tell themselves is left out."""
    before = _Workers(replicates=tuple(pair.baseline for pair in pairs))
    after = _Workers(replicates=tuple(pair.candidate for pair in pairs))
    return tuple(_violations([before], after, limits))


def without_noise(costs: Iterable[Violation]) -> tuple[Violation, ...]:
    """Those that are the same in every run of the same stack: pairs do not tell of them, and need not."""
    return tuple(cost for cost in costs if cost.kind in _WITHOUT_NOISE)


def of_the_machine(costs: Iterable[Violation]) -> tuple[Violation, ...]:
    """Those that a busy machine adds to: sessions alone raise a suspicion of them, as of latency, and convict nobody.

    (Seen beside other tests on two cores: a tiny model's calm blocks were 0.4 % stalls in one run, 51.3 % in the next.)
    """
    return tuple(cost for cost in costs if cost.kind in (*_TIMES, Kind.STALLS))


def _violations(before: Sequence[_Workers], after: _Workers, limits: CostLimits) -> Iterator[Violation]:
    count = min(len(one.replicates) for one in (*before, after))
    *before, after = (_first(one, count) for one in (*before, after))
    slowdown = max(1.0, after.latency_s / statistics.median(one.latency_s for one in before))
    for cost in _COSTS:
        was, now = _median(map(cost.of, before)), cost.of(after)
        pace = slowdown if cost.kind in _TIMES else 1.0
        if was is not None and now is not None and now > pace * cost.most(was, limits):
            yield Violation(kind=cost.kind, expected=was, found=now, against=Against.BASELINE)
    was, now = _median(one.sqnr_db for one in before), after.sqnr_db
    if was is not None and now is not None and min(was, _ROUNDING_DB) - now > limits.accuracy_drift_db:
        yield Violation(kind=Kind.ACCURACY_DRIFT, expected=was, found=now, against=Against.BASELINE)


def _first(workers: _Workers, count: int) -> _Workers:
    return dataclasses.replace(workers, replicates=workers.replicates[:count])


def _median(values: Iterable[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return statistics.median(told) if told else None


def _least(of: Callable[[Replicate], float | None]) -> Callable[[_Workers], float | None]:
    """The least that one of the workers takes; None where none tells."""

    def least(workers: _Workers) -> float | None:
        told = [value for value in map(of, workers.replicates) if value is not None]
        return min(told) if told else None

    return least


def _share_more(limit: Callable[[CostLimits], float], floor: float) -> Callable[[float, CostLimits], float]:
    """More by a share of what it was, and by the floor at least."""
    return lambda was, limits: was + max(limit(limits) * was, floor)


def _imports_itself(replicate: Replicate) -> bool:
    """Whether its launcher could not import for it: then it holds 360 MB more, and loading is what takes longer.

    (Measured: minilm under ipex in TorchScript, 1152 against 791 MB.)
    """
    return replicate.stages.import_s == 0.0


def _stalls(replicate: Replicate) -> float | None:
    """In calm blocks, less the share of their time that others used: what a neighbour makes is not the program's.

    A calm block of 25 ms may hold a tick of a neighbour, which is 40 % of it.
    """
    calm = [block for block in replicate.blocks if _is_calm(block)]
    latencies_ns = [latency for block in calm for latency in block.latencies_ns]
    if len(latencies_ns) < _LEAST_ITERATIONS:
        return None
    others_share = sum(map(_others_s, calm)) / sum(block.duration_s for block in calm)
    return max(0.0, stall_share(latencies_ns) - others_share)


def _is_calm(block: Block) -> bool:
    return block.conditions is not None and _others_s(block) <= _OTHERS_TICK_S + _OTHERS_SHARE * block.duration_s


def _others_s(block: Block) -> float:
    return block.conditions.others_cpu_s + block.conditions.steal_s if block.conditions else 0.0


_COSTS = (
    _Cost(
        kind=Kind.PEAK_MEMORY,
        of=_least(lambda one: None if _imports_itself(one) else one.peak_rss_bytes),
        most=_share_more(lambda limits: limits.peak_memory, _PEAK_MEMORY_FLOOR_BYTES),
    ),
    _Cost(
        kind=Kind.PEAK_MEMORY,
        of=_least(lambda one: one.peak_rss_bytes if _imports_itself(one) else None),
        most=_share_more(lambda limits: limits.peak_memory, _PEAK_MEMORY_FLOOR_BYTES),
    ),
    _Cost(
        kind=Kind.MEMORY_GROWTH,
        of=_least(lambda one: one.growth_bytes_per_iteration),
        # What shrank once is not held against what stays as it is.
        most=lambda was, limits: max(was, 0.0) + limits.memory_growth_bytes,
    ),
    _Cost(
        kind=Kind.FIRST_INFERENCE,
        of=_least(lambda one: one.stages.first_inference_s),
        most=_share_more(lambda limits: limits.first_inference, _FIRST_INFERENCE_FLOOR_S),
    ),
    _Cost(
        kind=Kind.PREPARE,
        of=_least(lambda one: one.stages.prepare_s),
        most=_share_more(lambda limits: limits.preparing, _PREPARING_FLOOR_S),
    ),
    _Cost(
        kind=Kind.COMPILE,
        of=lambda workers: workers.compiling_s,
        most=_share_more(lambda limits: limits.compiling, _COMPILING_FLOOR_S),
    ),
    _Cost(
        kind=Kind.IMPORT,
        of=_least(lambda one: None if _imports_itself(one) else one.stages.import_s),
        most=_share_more(lambda limits: limits.importing, _IMPORTING_FLOOR_S),
    ),
    _Cost(
        kind=Kind.ARTEFACT_SIZE,
        of=lambda workers: workers.artefact_bytes,
        most=_share_more(lambda limits: limits.artefact_size, _ARTEFACT_FLOOR_BYTES),
    ),
    _Cost(
        kind=Kind.STALLS,
        of=_least(_stalls),
        most=lambda was, limits: was + limits.stalls,
    ),
)

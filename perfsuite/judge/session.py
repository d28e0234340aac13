"""A whole session's measurements -> outcomes: speed, outputs, kernels and costs of each variant together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from perfsuite.check.sketch import hold_against_sketch
from perfsuite.gates.expectations import Expectation
from perfsuite.gates.gate import losses, new_violations
from perfsuite.judge.costs import cost_violations
from perfsuite.judge.outcome import judge_support, judge_variant
from perfsuite.judge.stored import Find, judge_session
from perfsuite.limits import CostLimits, Limits
from perfsuite.records.baseline import Baseline
from perfsuite.records.evidence import Evidence
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.outcome import Outcome
from perfsuite.records.session import Session
from perfsuite.records.speed import Speed
from perfsuite.records.violation import Violation
from perfsuite.spec import Support, Variant


def judge_results(
    results: Mapping[Variant, Measurement | Failure],
    find: Find,
    *,
    expected: Callable[[Variant], Expectation],
    gate: Callable[[Variant, Evidence], tuple[Violation, ...]],
    limits: Callable[[Variant], Limits],
    regression_ratio: float,
) -> dict[Variant, Outcome]:
    """``gate`` is what kernels must show whatever the baseline did, ``expected`` what it goes by.

    ``limits`` are what costs are held to, and why a variant is ignored.
    """
    measurements = {variant: one for variant, one in results.items() if isinstance(one, Measurement)}
    speeds = judge_session(measurements, find, regression_ratio=regression_ratio)
    outcomes = {}
    for variant, result in results.items():
        mine = limits(variant)
        if isinstance(result, Failure):
            outcomes[variant] = judge_variant(variant, failure=result.reason, ignored=mine.ignore)
            continue
        kernels = gate(variant, result.evidence) if result.evidence else ()
        lost = _lost(result, speeds[variant], expected(variant))
        outcomes[variant] = judge_variant(
            variant,
            speed=speeds[variant],
            outputs=result.wrong + _reference(result, speeds[variant]),
            kernels=kernels,
            lost=new_violations(kernels, lost),
            costs=_costs(result, speeds[variant], mine.costs),
            ignored=mine.ignore,
        )
    return outcomes


def judge_stored(
    candidate: Session,
    find: Find,
    known: Collection[Variant],
    *,
    fits: Callable[[Variant], bool],
    expected: Callable[[Variant], Expectation],
    limits: Callable[[Variant], Limits],
    regression_ratio: float,
) -> dict[Variant, Outcome]:
    """What came of a stored session's variants that fit; those of ``known`` that it cannot run are lost.

    What a machine offers is known on that machine alone: its kernels are held against stored ones.
    """
    entries: tuple[Measurement | Failure, ...] = (*candidate.measurements, *candidate.failures)
    results = {one.variant: one for one in entries if fits(one.variant)}
    outcomes = judge_results(
        results, find, expected=expected, gate=lambda *_: (), limits=limits, regression_ratio=regression_ratio
    )
    for one in candidate.unsupported:
        if one.variant in known and fits(one.variant):
            outcomes[one.variant] = judge_support(one.variant, Support(reason=one.reason), in_baseline=True)
    return outcomes


def _costs(result: Measurement, speed: Speed, limits: CostLimits) -> tuple[Violation, ...]:
    if not isinstance(speed.baseline, Baseline):
        return ()
    return cost_violations([one.measurement for one in speed.baseline.accepted], result, limits)


def _lost(result: Measurement, speed: Speed, expected: Expectation) -> tuple[Violation, ...]:
    stored = _stored(speed)
    if stored is None or stored.evidence is None or result.evidence is None:
        return ()
    return losses(stored.evidence, result.evidence, expected)


def _reference(result: Measurement, speed: Speed) -> tuple[Violation, ...]:
    """Whether FP32 itself answers as it did; a variant is only ever held against its own stack's."""
    stored = _stored(speed)
    if stored is None or stored.reference is None or result.reference is None:
        return ()
    return hold_against_sketch(stored.reference, result.reference)


def _stored(speed: Speed) -> Measurement | None:
    return speed.baseline.measurement if isinstance(speed.baseline, Baseline) else None

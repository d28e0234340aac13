"""Whole nights for a page, of made-up figures: slower, faster, wrong, lost, unsupported, and what nobody can tell."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from builders import MACHINE, PLACEMENT, VARIANT, baseline, measurement, replicate, session
from compare_builders import ACCURACY
from evidence_builders import FP32, POINTWISE, REORDER, evidence, kernel, operator_kernel

from perfsuite.explain.causes import explain
from perfsuite.gates.expectations import expectation
from perfsuite.history.changes import trend_of
from perfsuite.judge.outcome import judge_support
from perfsuite.judge.paired import judge_pairs
from perfsuite.judge.session import judge_results
from perfsuite.models.base import Reads
from perfsuite.records.baseline import Baseline, Incomparable, Lack, Missing
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.evidence import Evidence
from perfsuite.records.history import Circumstances, Metric, Point, Series, Trend
from perfsuite.records.measurement import Block, Conditions, Failure, Measurement, Replicate
from perfsuite.records.outcome import Outcome, Policy
from perfsuite.records.pair import Pair, Pairing
from perfsuite.records.violation import Kind, Violation
from perfsuite.report.judged import Beside, Judged
from perfsuite.settings import Settings
from perfsuite.spec import Mode, Precision, Support, Variant

#: One variant of each outcome, by what is done to it.
SLOWER, FASTER, SAME, WRONG, FAILED, NEW, SINGLE, NEITHER = (
    dataclasses.replace(VARIANT, mode=mode, precision=precision)
    for mode, precision in itertools.product(
        (Mode.EAGER, Mode.DYNAMO, Mode.TORCHSCRIPT, Mode.DEPLOYED), (Precision.FP32, Precision.BF16)
    )
)
BEFORE = evidence([kernel(12.0, count=36), kernel(7.0, count=17, **POINTWISE), operator_kernel(milliseconds=0.5)])
AFTER = evidence([kernel(28.0, count=36, **FP32), kernel(7.1, count=17, **POINTWISE), kernel(0.4, **REORDER)])


def worker(latency_ms: float, *, blocks: int = 10, iterations: int = 12, mhz: float = 2400.0) -> Replicate:
    """One whose iterations vary, with the machine's state at each block."""
    return dataclasses.replace(
        replicate(),
        blocks=tuple(
            Block(
                latencies_ns=tuple(
                    round(latency_ms * 1e6 * (1 + 0.01 * ((7 * number + 3 * one) % 11))) for one in range(iterations)
                ),
                conditions=Conditions(
                    others_cpu_s=0.002 * (number % 4),
                    steal_s=0.001 * (number % 3),
                    idle_cpu_s=0.0,
                    frequency_mhz=mhz + 50 * (number % 2),
                    load_1min=1.0 + number / 10,
                    minor_faults=1,
                    major_faults=0,
                    resident_bytes=1 << 28,
                ),
            )
            for number in range(blocks)
        ),
    )


def pairs(variant: Variant, ratio: float, count: int = 4, latency_ms: float = 20.0) -> tuple[Pair, ...]:
    """Pairs whose candidate takes that many times as long, give or take a percent."""
    return tuple(
        Pair(
            pairing=Pairing(baseline=variant, candidate=variant),
            baseline=worker(latency_ms, blocks=8),
            candidate=worker(latency_ms * ratio * (1 + 0.004 * (number % 3)), blocks=8),
            candidate_first=number % 2 == 1,
        )
        for number in range(count)
    )


def measured(variant: Variant, latency_ms: float, observed: Evidence | None = None, **changes: Any) -> Measurement:
    """Two workers that agree to two parts in a thousand."""
    workers = (worker(latency_ms), worker(latency_ms * 1.002))
    return measurement(variant=variant, replicates=workers, evidence=observed, accuracy=ACCURACY, **changes)


def trend(variant: Variant, *, sessions: int, this: str = "") -> Trend:
    """A night a day, which take half as much again since the middle, when torch was another; ``this`` is the last."""
    nights = []
    for number in range(sessions):
        later = number >= sessions // 2
        begun = f"{datetime(2025, 1, 1, 2, tzinfo=UTC) + timedelta(days=number):%Y%m%dT%H%M%S.%fZ}"
        nights.append(
            Point(
                session=this if this and number == sessions - 1 else begun,
                begun=begun,
                machine_slug=MACHINE.slug,
                stack_slug="after" if later else "before",
                value=0.02 * (1.5 if later else 1.0) * (1 + 0.004 * ((7 * number) % 5)),
                verdict="unchanged",
                circumstances=Circumstances(software={"torch": "2.8.0" if later else "2.7.0"}, machine={}),
            )
        )
    return trend_of(Series(variant=variant.id, metric=Metric.LATENCY, machine_slug=MACHINE.slug, points=tuple(nights)))


def judged(
    results: Iterable[Measurement | Failure],
    before: Mapping[Variant, Measurement],
    *,
    outcomes: Mapping[Variant, Outcome] | None = None,
    lines: tuple[str, ...] = ("verdicts: several",),
    beside: Mapping[Variant, Beside] | None = None,
    **head: Any,
) -> Judged:
    """What is judged as a run judges it, against three sessions of what was before."""
    by_variant = {one.variant: one for one in results}

    def find(one: Measurement) -> Baseline | Missing | Incomparable:
        if one.variant not in before:
            return Missing(kind=Lack.NO_VARIANT, machine_slug=one.machine.slug)
        was = before[one.variant]
        return baseline(*(dataclasses.replace(was, replicates=was.replicates[:count]) for count in (2, 2, 1)))

    found = judge_results(
        by_variant,
        find,
        expected=lambda variant: expectation(variant, Reads.IMAGES),
        gate=lambda variant, observed: (),
        limits=Settings().limits,
        regression_ratio=1.25,
    )
    measurements = {variant: one for variant, one in by_variant.items() if isinstance(one, Measurement)}
    return Judged(
        session=session(*measurements.values(), placement=PLACEMENT, **head),
        outcomes={**found, **(outcomes or {})},
        results=by_variant,
        explanations={
            variant: explain(before[variant], one) for variant, one in measurements.items() if variant in before
        },
        lines=lines,
        policy=Policy(),
        beside=beside or {},
    )


def night() -> Judged:
    """One variant of each outcome; the slower one was stepped beside its baseline's stack, and confirmed."""
    was, now = BEFORE, AFTER
    before = {variant: measured(variant, 20.0, was) for variant in (SLOWER, FASTER, SAME, WRONG, SINGLE, NEITHER)}
    unsure = dataclasses.replace(measured(SINGLE, 24.0), replicates=(worker(24.0, blocks=1),))
    found = judged(
        [
            measured(SLOWER, 36.0, now, environment={"OMP_NUM_THREADS": "4", "ONEDNN_MAX_CPU_ISA": "AVX2"}),
            measured(FASTER, 12.0, was),
            measured(SAME, 20.1, was),
            measured(WRONG, 20.0, was, wrong=(Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0),)),
            Failure(variant=FAILED, reason="killed by SIGSEGV\nin some library"),
            measured(NEW, 20.0, was),
            unsure,
        ],
        before,
        outcomes={NEITHER: judge_support(NEITHER, Support(reason="no such kernels here"), in_baseline=False)},
    )
    found = confirmed(found, SLOWER, pairs(SLOWER, 1.8))
    return dataclasses.replace(found, trends={SLOWER: (trend(SLOWER, sessions=30, this=found.session.id),)})


def confirmed(found: Judged, variant: Variant, some: tuple[Pair, ...]) -> Judged:
    """The same, where the variant's suspicion was confirmed by these pairs."""
    outcome = found.outcomes[variant]
    assert outcome.speed is not None
    speed = dataclasses.replace(judge_pairs(some, 0.05, resolution=0.02), variant=variant)
    confirmation = Confirmation(finding=Finding.REGRESSION, stored=outcome.speed, pairs=len(some), moved=0.98)
    told = dataclasses.replace(outcome, speed=speed, confirmation=confirmation, verdict=speed.verdict)
    outcomes = {**found.outcomes, variant: told}
    return dataclasses.replace(found, outcomes=outcomes, beside={**found.beside, variant: Beside(pairs=some)})

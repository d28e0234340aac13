"""A session's results -> outcomes: outputs, FP32 itself, kernels and speed, each against the baseline's."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import VARIANT, baseline, measurement, outputs_of
from evidence_builders import evidence, kernel

from perfsuite.check.sketch import sketch
from perfsuite.gates.expectations import expectation
from perfsuite.judge.session import judge_results
from perfsuite.limits import CostLimits, Limits
from perfsuite.models.base import Reads
from perfsuite.records.baseline import Lack, Missing
from perfsuite.records.isa import Isa
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Verdict
from perfsuite.records.violation import Against, Kind, Violation

VALUES = np.random.RandomState(0).normal(size=(4, 2, 100)).astype(np.float32)
WRONG = Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0)
LIMITS = Limits(matters=1.02, costs=CostLimits())
OBJECTION = Violation(kind=Kind.PRECISION, subject="bf16", expected=0.95, found=0.1)


def _sketched(values: Any) -> Any:
    return sketch(outputs_of(values))


FINE = measurement(100, 101, evidence=evidence([kernel(isa=Isa.AMX)]), reference=_sketched(VALUES))
HEAVY = tuple(dataclasses.replace(one, peak_rss_bytes=2 * one.peak_rss_bytes) for one in FINE.replicates)


def _judged(
    result: Measurement | Failure, stored: Measurement | None, *objections: Violation, limits: Limits = LIMITS
) -> Outcome:
    found = baseline(stored) if stored else Missing(kind=Lack.NO_CLASS, machine_slug="this-machine")
    return judge_results(
        {VARIANT: result},
        lambda _: found,
        expected=lambda variant: expectation(variant, Reads.IMAGES),
        gate=lambda variant, evidence: objections,
        limits=lambda variant: limits,
        regression_ratio=1.25,
    )[VARIANT]


@pytest.mark.parametrize(
    ("changes", "verdict", "found"),
    [
        ({}, Verdict.UNCHANGED, {}),
        ({"wrong": (WRONG,)}, Verdict.ERROR, {"outputs": [(Kind.SQNR_LOW, Against.EXPECTATION)]}),
        (
            {"reference": _sketched(-VALUES)},
            Verdict.ERROR,
            {"outputs": [(Kind.SQNR_LOW, Against.BASELINE_REFERENCE)]},
        ),
        (
            {"reference": _sketched(VALUES[:, :, :50])},
            Verdict.ERROR,
            {"outputs": [(Kind.SHAPE, Against.BASELINE_REFERENCE)]},
        ),
        ({"reference": None}, Verdict.UNCHANGED, {}),
        (
            {"evidence": evidence([kernel(isa=Isa.AVX512_BF16)])},
            Verdict.LOST,
            {"lost": [(Kind.ISA, Against.BASELINE)]},
        ),
        ({"evidence": None}, Verdict.UNCHANGED, {}),
        ({"replicates": measurement(200, 202).replicates}, Verdict.REGRESSED, {}),
        ({"replicates": HEAVY}, Verdict.REGRESSED, {"costs": [(Kind.PEAK_MEMORY, Against.BASELINE)]}),
        (
            {"replicates": HEAVY, "wrong": (WRONG,)},
            Verdict.ERROR,
            {
                "costs": [(Kind.PEAK_MEMORY, Against.BASELINE)],
                "outputs": [(Kind.SQNR_LOW, Against.EXPECTATION)],
            },
        ),
    ],
    ids=[
        "fine",
        "wrong",
        "FP32 is wrong",
        "FP32 has another shape",
        "no sketch",
        "no AMX",
        "not observed",
        "slower",
        "heavier",
        "heavier and wrong",
    ],
)
def test_each_part_is_held_against_the_baseline_s(changes: dict[str, Any], verdict: Verdict, found: Any) -> None:
    outcome = _judged(dataclasses.replace(FINE, **changes), FINE)
    assert outcome.verdict is verdict
    for name in ("outputs", "kernels", "lost", "costs"):
        kinds = [(one.kind, one.against) for one in getattr(outcome, name)]
        assert kinds == found.get(name, [])


def test_what_the_gates_object_to_needs_no_baseline() -> None:
    outcome = _judged(FINE, None, OBJECTION)
    assert (outcome.verdict, outcome.kernels) == (Verdict.LOST, (OBJECTION,))
    assert _judged(FINE, None).verdict is Verdict.MISSING_BASELINE


def test_costs_are_held_against_the_median_of_the_baseline_s_sessions() -> None:
    heavy = dataclasses.replace(FINE, replicates=HEAVY)

    def judged(*stored: Measurement) -> Outcome:
        return judge_results(
            {VARIANT: heavy},
            lambda _: baseline(*stored),
            expected=lambda variant: expectation(variant, Reads.IMAGES),
            gate=lambda variant, evidence: (),
            limits=lambda variant: LIMITS,
            regression_ratio=1.25,
        )[VARIANT]

    assert judged(FINE, heavy, heavy).costs == ()
    assert judged(heavy, FINE, FINE).costs != ()


@pytest.mark.parametrize("result", [FINE, Failure(variant=VARIANT, reason="worker 7 hung")], ids=["fine", "failed"])
def test_a_variant_that_is_ignored_is_judged_all_the_same(result: Measurement | Failure) -> None:
    ignored = dataclasses.replace(LIMITS, ignore="pt#12345")
    assert _judged(result, FINE, limits=ignored) == dataclasses.replace(_judged(result, FINE), ignored="pt#12345")


def test_a_failure_is_an_error_with_its_reason() -> None:
    outcome = _judged(Failure(variant=VARIANT, reason="worker 7 hung"), FINE)
    assert (outcome.verdict, outcome.failure) == (Verdict.ERROR, "worker 7 hung")

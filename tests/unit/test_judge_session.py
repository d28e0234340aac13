"""A session's results -> outcomes: outputs, FP32 itself, kernels and speed, each against the baseline's."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import DIGESTS, VARIANT, baseline, measurement
from evidence_builders import evidence, kernel

from perfsuite.check.outputs import Outputs
from perfsuite.check.sketch import sketch
from perfsuite.gates.expectations import expectation
from perfsuite.judge.session import judge_results
from perfsuite.models.base import Reads
from perfsuite.records.baseline import Lack, Missing
from perfsuite.records.isa import Isa
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.outcome import Outcome
from perfsuite.records.speed import Verdict
from perfsuite.records.violation import Against, Kind, Violation

VALUES = np.random.RandomState(0).normal(size=(4, 2, 100)).astype(np.float32)
WRONG = Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0)
OBJECTION = Violation(kind=Kind.PRECISION, subject="bf16", expected=0.95, found=0.1)


def _sketched(values: Any) -> Any:
    return sketch(Outputs(values=values, mask=None, digests=DIGESTS))


FINE = measurement(100, 101, evidence=evidence([kernel(isa=Isa.AMX)]), reference=_sketched(VALUES))


def _judged(result: Measurement | Failure, stored: Measurement | None, *objections: Violation) -> Outcome:
    found = baseline(stored) if stored else Missing(kind=Lack.NO_CLASS, machine_slug="this-machine")
    return judge_results(
        {VARIANT: result},
        lambda _: found,
        expected=lambda variant: expectation(variant, Reads.IMAGES),
        gate=lambda variant, evidence: objections,
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
    ],
    ids=["fine", "wrong", "FP32 is wrong", "FP32 has another shape", "no sketch", "no AMX", "not observed", "slower"],
)
def test_each_part_is_held_against_the_baseline_s(changes: dict[str, Any], verdict: Verdict, found: Any) -> None:
    outcome = _judged(dataclasses.replace(FINE, **changes), FINE)
    assert outcome.verdict is verdict
    for name in ("outputs", "kernels", "lost"):
        kinds = [(one.kind, one.against) for one in getattr(outcome, name)]
        assert kinds == found.get(name, [])


def test_what_the_gates_object_to_needs_no_baseline() -> None:
    outcome = _judged(FINE, None, OBJECTION)
    assert (outcome.verdict, outcome.kernels) == (Verdict.LOST, (OBJECTION,))
    assert _judged(FINE, None).verdict is Verdict.MISSING_BASELINE


def test_a_failure_is_an_error_with_its_reason() -> None:
    outcome = _judged(Failure(variant=VARIANT, reason="worker 7 hung"), FINE)
    assert (outcome.verdict, outcome.failure) == (Verdict.ERROR, "worker 7 hung")

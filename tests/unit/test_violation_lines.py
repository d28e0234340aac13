"""What the violations of outputs read like."""

import math
from typing import Any

import pytest

from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.report.violations import violation_line


def _violation(kind: Kind, expected: float | str, found: float | str, **more: Any) -> Violation:
    return Violation(kind=kind, expected=expected, found=found, **more)


@pytest.mark.parametrize(
    ("violation", "said"),
    [
        (
            _violation(Kind.NOT_FINITE, 0, 4, where=("[0, 1]", "[0, 2]", "[1, 1]")),
            "NaN or infinity in 4 values ([0, 1]; [0, 2]; [1, 1])",
        ),
        (
            _violation(Kind.NOT_FINITE, 0, 1.0, against=Against.REFERENCE, where=("[0, 1]",)),
            "NaN or infinity in 1 value of the FP32 reference ([0, 1])",
        ),
        (
            _violation(Kind.NOT_FINITE, 0, 9, against=Against.BASELINE_REFERENCE, subject="baseline"),
            "the baseline's FP32 reference is not finite: nothing can be held against it",
        ),
        (
            _violation(Kind.SHAPE, "(2, 4)", "(2, 3)", against=Against.REFERENCE),
            "outputs have shape (2, 3), (2, 4) in the FP32 reference",
        ),
        (
            _violation(Kind.SHAPE, "(2, 4)", "(2, 3)", against=Against.BASELINE_REFERENCE),
            "FP32 reference: outputs have shape (2, 3), (2, 4) in the baseline's FP32 reference",
        ),
        (
            _violation(Kind.SHAPE, "at least one value", "(2, 0)"),
            "outputs have shape (2, 0), at least one value expected",
        ),
        (_violation(Kind.SHAPE, "(2,)", "(3,)", subject="boxes"), "boxes: outputs have shape (3,), (2,) expected"),
        (
            _violation(Kind.SQNR_LOW, 25.0, 3.14, subject="logits at 3 x 37"),
            "logits at 3 x 37: SQNR 3.1 dB is below 25.0 dB",
        ),
        (
            _violation(Kind.OUTPUTS, "logits, boxes", "logits", against=Against.REFERENCE),
            "outputs are logits, logits, boxes in the FP32 reference",
        ),
        (_violation(Kind.FIGURE, 0.9, 0.875, subject="same first"), "same first 0.875 is below 0.9"),
        (_violation(Kind.FIGURE, 0.1, 0.2, subject="error at 1 x 16"), "error at 1 x 16 0.2 is above 0.1"),
        (_violation(Kind.FIGURE, 0.1, math.nan, subject="error"), "error nan is no number, held against 0.1"),
        (_violation(Kind.SQNR_LOW, 25.0, 3.14), "SQNR 3.1 dB is below 25.0 dB"),
        (
            _violation(Kind.SQNR_LOW, 25.0, -math.inf, against=Against.BASELINE),
            "outputs are not zero, and all zero in the baseline",
        ),
        (_violation(Kind.SQNR_LOW, 25.0, -math.inf), "outputs are not zero, and all zero in the FP32 reference"),
        (
            _violation(Kind.DIGEST, "aa", "bb", against=Against.REFERENCE, subject="weights"),
            "weights are others: digest bb, aa in the FP32 reference",
        ),
        (
            _violation(Kind.ARTEFACT, 0, math.inf),
            "the loaded artefact does not answer as the process that saved it did, by up to inf",
        ),
    ],
)
def test_in_words(violation: Violation, said: str) -> None:
    assert violation_line(violation) == said

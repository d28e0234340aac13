"""Two stacks' outputs of one variant: what is held against what, and what is left unsaid."""

import dataclasses
import math
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from builders import DIGESTS, VARIANT, outputs_of
from compare_builders import PAIRING
from evidence_builders import evidence, kernel
from numpy.typing import NDArray

from perfsuite.check.outputs import Correctness, Outputs, check
from perfsuite.compare.examine import examine
from perfsuite.models.base import Reads
from perfsuite.records.comparison import Examination
from perfsuite.records.evidence import Evidence
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.spec import Variant

FP32 = np.random.default_rng(0).normal(size=(2, 4, 10)).astype(np.float32)
NOISE = np.random.default_rng(1).normal(size=FP32.shape).astype(np.float32)
BF16 = FP32 + np.float32(0.005) * NOISE
SHIFTED = FP32 + np.float32(0.05)
OTHER_WEIGHTS = dataclasses.replace(DIGESTS, weights_sha256="c" * 64)


class Side:
    """Stands in for a rig whose workers answer with these outputs."""

    def __init__(self, fp32: NDArray[np.float32], bf16: NDArray[np.float32], **changes: Any) -> None:
        self._fp32, self._bf16 = (outputs_of(values, **changes) for values in (fp32, bf16))
        self.models = {VARIANT.model: SimpleNamespace(reads=Reads.IMAGES, figures=None)}

    def outputs(self, variant: Variant) -> Outputs:
        return self._bf16

    def reference(self, variant: Variant) -> Outputs:
        return self._fp32

    def objections(self, variant: Variant, evidence: Evidence) -> tuple[Violation, ...]:
        return ()

    def weights_kind(self, model: str) -> str:
        return "seeded"

    def judged(self, variant: Variant, answer: Outputs) -> Correctness:
        return check(variant, self._fp32, answer, weights_kind="seeded", flags=())

    def evidence(self, variant: Variant) -> object:
        return evidence([kernel()])


GOOD = Side(FP32, BF16)
NAN = np.where(np.arange(80).reshape(FP32.shape) == 7, np.float32(math.nan), BF16)
REFERENCE, OUTPUTS = Against.BASELINE_REFERENCE, Against.BASELINE


def _examined(baseline: Side, candidate: Side) -> Examination:
    return examine(PAIRING, cast(Any, baseline), cast(Any, candidate))


@pytest.mark.parametrize(
    ("baseline", "candidate", "wrong", "compared"),
    [
        pytest.param(GOOD, Side(FP32, BF16 + np.float32(1e-3) * NOISE), set(), True, id="alike"),
        pytest.param(
            GOOD,
            Side(SHIFTED, SHIFTED + np.float32(0.005) * NOISE),
            {(Kind.SQNR_LOW, REFERENCE), (Kind.COSINE, REFERENCE), (Kind.SQNR_LOW, OUTPUTS)},
            True,
            id="right-by-an-fp32-that-is-wrong",
        ),
        pytest.param(GOOD, Side(FP32, SHIFTED), {(Kind.SQNR_LOW, OUTPUTS)}, True, id="wrong"),
        pytest.param(Side(FP32, SHIFTED), GOOD, set(), True, id="what-differs-from-wrong-may-be-right"),
        pytest.param(Side(NAN, BF16), GOOD, set(), True, id="a-baseline-without-a-reference"),
        pytest.param(GOOD, Side(FP32, NAN), {(Kind.NOT_FINITE, OUTPUTS)}, False, id="nan"),
        pytest.param(GOOD, Side(NAN, BF16), {(Kind.NOT_FINITE, REFERENCE)}, True, id="nan-in-fp32"),
        pytest.param(
            GOOD,
            Side(FP32[:, :3], BF16[:, :3]),
            {(Kind.SHAPE, REFERENCE), (Kind.SHAPE, OUTPUTS)},
            False,
            id="another-shape-ends-nothing",
        ),
        pytest.param(GOOD, Side(SHIFTED, SHIFTED, digests=OTHER_WEIGHTS), set(), False, id="other-weights"),
    ],
)
def test_examination(baseline: Side, candidate: Side, wrong: set[tuple[Kind, Against]], compared: bool) -> None:
    found = _examined(baseline, candidate)
    assert {(violation.kind, violation.against) for violation in found.wrong} == wrong
    assert (found.agreement is not None) == compared


def test_both_sides_digests_are_kept() -> None:
    found = _examined(GOOD, Side(FP32, BF16, digests=OTHER_WEIGHTS))
    assert (found.baseline.digests, found.candidate.digests) == (DIGESTS, OTHER_WEIGHTS)

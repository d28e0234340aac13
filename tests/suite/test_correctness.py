"""Every variant's outputs, held against FP32 of the same stack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from perfsuite.accuracy import check
from perfsuite.measure.rig import Rig
from perfsuite.results import Accuracy
from perfsuite.spec import Variant


def test_outputs(variant: Variant, rig: Rig, record_accuracy: Callable[[Accuracy], None]) -> None:
    answer = rig.outputs(variant)
    finding = check(variant, rig.reference(variant), answer, rig.models[variant.model].yields)
    record_accuracy(finding.accuracy)
    assert not finding.violations, "; ".join(finding.violations)

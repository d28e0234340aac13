"""Every variant's outputs, held against FP32 of the same stack."""

from collections.abc import Callable

import pytest

from perfsuite.errors import WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.records.accuracy import Accuracy
from perfsuite.report.violations import violation_lines
from perfsuite.spec import Variant


def test_outputs(variant: Variant, rig: Rig, record_accuracy: Callable[[Accuracy], None]) -> None:
    try:
        correctness = rig.check(variant)
    except WorkerError as error:
        pytest.fail(str(error), pytrace=False)
    if correctness.accuracy is not None:
        record_accuracy(correctness.accuracy)
    if correctness.violations:
        pytest.fail(f"{variant.id}: {'; '.join(violation_lines(correctness.violations))}", pytrace=False)

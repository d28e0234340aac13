"""Every variant's outputs, held against FP32 of the same stack."""

from collections.abc import Callable

import pytest

from perfsuite.errors import WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.records.accuracy import Accuracy
from perfsuite.spec import Variant


def test_outputs(variant: Variant, rig: Rig, record_accuracy: Callable[[Accuracy], None]) -> None:
    try:
        finding = rig.check(variant)
    except WorkerError as error:
        pytest.fail(str(error), pytrace=False)
    record_accuracy(finding.accuracy)
    if finding.violations:
        pytest.fail(f"{variant.id}: {'; '.join(finding.violations)}", pytrace=False)

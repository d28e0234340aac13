"""Every variant's outputs, held against FP32 of the same stack."""

from collections.abc import Callable

from perfsuite.measure.rig import Rig
from perfsuite.results import Accuracy
from perfsuite.spec import Variant


def test_outputs(variant: Variant, rig: Rig, record_accuracy: Callable[[Accuracy], None]) -> None:
    finding = rig.check(variant)
    record_accuracy(finding.accuracy)
    assert not finding.violations, "; ".join(finding.violations)

"""What every variant's kernels really are, held against what is expected of them."""

from collections.abc import Callable

import pytest

from perfsuite.errors import WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.records.evidence import Evidence
from perfsuite.records.violation import Violation
from perfsuite.report.violations import violation_lines
from perfsuite.spec import Variant


@pytest.mark.kernels
def test_kernels(variant: Variant, rig: Rig, gate: Callable[[Evidence], tuple[Violation, ...]]) -> None:
    try:
        evidence = rig.evidence(variant)
    except WorkerError as error:
        pytest.fail(str(error), pytrace=False)
    if violations := gate(evidence):
        lines = (f"{variant.id}:", *(f"  {line}" for line in violation_lines(violations)))
        pytest.fail("\n".join(lines), pytrace=False)

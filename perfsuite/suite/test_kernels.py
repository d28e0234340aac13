"""What every variant's kernels really are, held against what is expected of them."""

from collections.abc import Callable

import pytest

from perfsuite.errors import WorkerError
from perfsuite.judge.outcome import judge_variant
from perfsuite.measure.rig import Rig
from perfsuite.records.evidence import Evidence
from perfsuite.records.outcome import Outcome
from perfsuite.spec import Variant


@pytest.mark.kernels
def test_kernels(
    variant: Variant, rig: Rig, kernels: Callable[[Evidence], Outcome], settle: Callable[[Outcome], None]
) -> None:
    try:
        evidence = rig.evidence(variant)
    except WorkerError as error:
        settle(judge_variant(variant, failure=str(error)))
        return
    settle(kernels(evidence))

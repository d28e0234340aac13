"""Every variant's outputs, held against FP32 of the same stack."""

from collections.abc import Callable

from perfsuite.errors import WorkerError
from perfsuite.judge.outcome import judge_variant
from perfsuite.measure.rig import Rig
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.outcome import Outcome
from perfsuite.spec import Variant


def test_outputs(
    variant: Variant,
    rig: Rig,
    record_accuracy: Callable[[Accuracy], None],
    settle: Callable[[Outcome], None],
) -> None:
    try:
        found = rig.check(variant)
    except WorkerError as error:
        settle(judge_variant(variant, failure=str(error)))
        return
    if found.accuracy is not None:
        record_accuracy(found.accuracy)
    settle(judge_variant(variant, outputs=found.violations))

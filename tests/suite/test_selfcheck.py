"""The benchmark of comparisons counts none that was not made."""

import pytest

from perfsuite.errors import WorkerError
from perfsuite.measure.rig import Rig
from perfsuite.selfcheck import compare


def test_a_variant_that_cannot_be_compared_is_an_error(rig: Rig) -> None:
    broken = compare.SLOWED[0]
    with pytest.raises(WorkerError, match=f"{broken.id}: .*worker"):
        compare.compared(rig.settings, [broken], "no-such-fault", resolution=0.01)

"""The correctness checks bite: each fault, planted in a real worker, is found."""

import pytest

from perfsuite.measure.rig import Rig
from perfsuite.selfcheck.faults import PLANTS, Plant, evidence


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.id)
def test_planted_fault_is_found(plant: Plant, rig: Rig) -> None:
    if not (support := rig.support(plant.variant)).supported:
        pytest.skip(f"unsupported: {support.reason}")
    assert evidence(rig, plant), f"{plant.fault} in {plant.variant.id} went unseen"

"""The gates bite and the explanation names the cause: each plant, in a real worker."""

import pytest

from perfsuite.measure.rig import Rig
from perfsuite.selfcheck.kernels import PLANTS, Plant, check, obstacle, planted


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.id)
def test_plant_is_named(plant: Plant, rig: Rig) -> None:
    if why := obstacle(rig, plant):
        pytest.skip(why)
    with planted(rig, plant) as other:
        outcome = check(rig, other, plant)
    assert outcome.found(plant), (outcome.violations, outcome.explanation.contributions)

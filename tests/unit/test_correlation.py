"""What pairs of the same launchers have in common shows; what variants differ in does not."""

import math
import random

import pytest

from perfsuite.stats.correlation import Correlation, intraclass_correlation


def _families(
    correlation: float, *, families: int, groups: int = 6, size: int = 4, seed: int = 1
) -> list[list[list[float]]]:
    """Variants whose means and spreads differ by far."""
    chance = random.Random(seed)

    def group(mean: float, spread: float) -> list[float]:
        shared = chance.gauss()
        own = (chance.gauss() for _ in range(size))
        return [mean + spread * (math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * one) for one in own]

    return [[group(number, 0.01 * (number + 1)) for _ in range(groups)] for number in range(families)]


@pytest.mark.parametrize("planted", [0.0, 0.2, 0.5, 0.8])
def test_a_planted_correlation_shows(planted: float) -> None:
    found = intraclass_correlation(_families(planted, families=60))
    assert found is not None
    assert found.value == pytest.approx(planted, abs=0.06)
    assert found.groups == 360


@pytest.mark.parametrize("planted", [0.0, 0.4])
def test_its_interval_holds_the_truth_as_often_as_it_says(planted: float) -> None:
    found = [intraclass_correlation(_families(planted, families=8, seed=seed)) for seed in range(200)]
    held = sum(one is not None and one.interval.low <= planted <= one.interval.high for one in found)
    assert 180 <= held <= 199


@pytest.mark.parametrize(
    "families",
    [
        pytest.param([], id="no variant"),
        pytest.param([[]], id="no launch"),
        pytest.param([[[0.1, 0.2, 0.3]]], id="one launch"),
        pytest.param([[[0.1], [0.2], [0.3]]], id="one pair a launch"),
        pytest.param([[[0.1, 0.1], [0.1, 0.1]]], id="no spread"),
    ],
)
def test_too_few_tell_nothing(families: list[list[list[float]]]) -> None:
    assert intraclass_correlation(families) is None


def test_a_variant_that_tells_nothing_changes_nothing() -> None:
    families = _families(0.3, families=10)
    found = intraclass_correlation([*families, [[1.0, 2.0]], [[]]])
    assert isinstance(found, Correlation)
    assert found == intraclass_correlation(families)

"""Where a series goes to a new level: planted steps are found, spikes and noise are not."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from perfsuite.stats.changes import change_points

NOISE = 0.015
SEEDS = 20


def _series(seed: int, count: int, changes: Mapping[range, float]) -> list[float]:
    """Latencies around 40 ms, those at each range times its factor."""
    values = 0.04 * np.exp(np.random.default_rng(seed).normal(0, NOISE, count))
    for where, factor in changes.items():
        values[where.start : where.stop] *= factor
    return [float(value) for value in values]


@pytest.mark.parametrize(
    ("count", "changes", "expected", "found_by"),
    [
        pytest.param(60, {range(30, 60): 1.03}, (30,), 0.85, id="3 % slower"),
        pytest.param(60, {range(30, 60): 1.05}, (30,), 0.9, id="5 % slower"),
        pytest.param(60, {range(30, 60): 0.90}, (30,), 0.9, id="10 % faster"),
        pytest.param(400, {range(200, 400): 1.02}, (200,), 0.85, id="2 % of many values"),
        pytest.param(400, {range(390, 400): 1.03}, (390,), 0.85, id="3 % in the last ten"),
        pytest.param(400, {range(200, 210): 1.05}, (200, 210), 0.9, id="5 % for ten and back"),
        pytest.param(120, {range(40, 120): 1.1, range(80, 120): 0.9}, (40, 80), 0.9, id="up and down"),
        pytest.param(60, {}, (), 0.9, id="nothing of few values"),
        pytest.param(400, {}, (), 0.95, id="nothing of many values"),
        pytest.param(400, {range(200, 201): 1.3}, (), 0.95, id="a spike"),
        pytest.param(400, {range(200, 202): 1.3}, (), 0.95, id="a spike of two"),
        pytest.param(400, {range(0, 2): 1.3}, (), 0.95, id="a spike at first"),
        pytest.param(400, {range(399, 400): 1.3}, (), 0.95, id="a spike at last"),
        pytest.param(400, {range(397, 399): 1.3}, (), 0.95, id="a spike of two before the last"),
        pytest.param(400, {range(100, 101): 1.3, range(200, 400): 1.1}, (200,), 0.95, id="a spike and a step"),
    ],
)
def test_levels_are_found_in_noise(
    count: int, changes: Mapping[range, float], expected: tuple[int, ...], found_by: float
) -> None:
    answers = [change_points(_series(seed, count, changes)) for seed in range(SEEDS)]
    right = [
        len(answer) == len(expected) and all(abs(a - b) <= 3 for a, b in zip(answer, expected, strict=True))
        for answer in answers
    ]
    assert sum(right) / SEEDS >= found_by, answers


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([], (), id="none"),
        pytest.param([1.0] * 4 + [2.0] * 5, (), id="too few"),
        pytest.param([1.0] * 5 + [2.0] * 5, (5,), id="just enough"),
        pytest.param([7e8] * 60, (), id="all agree"),
        pytest.param([7e8] * 30 + [7.1e8] * 30, (30,), id="memory 1.4 % up"),
        pytest.param([7e8] * 30 + [7.0001e8] * 30, (), id="less than the least noise"),
        pytest.param([7e8] * 55 + [9e8] * 5, (55,), id="the last five"),
        pytest.param([7e8] * 58 + [9e8] * 2, (), id="the last two"),
    ],
)
def test_values_without_noise(values: list[float], expected: tuple[int, ...]) -> None:
    assert change_points(values) == expected


def test_decibels_are_searched_as_they_are() -> None:
    values = [-2.0 + 0.01 * (index % 3) for index in range(40)] + [1.0 + 0.01 * (index % 3) for index in range(20)]
    assert change_points(values, ratios=False) == (40,)
    assert change_points(values, ratios=False, least_noise=6.0) == ()


def test_neither_unit_nor_scale_matters() -> None:
    seconds = _series(1, 120, {range(60, 120): 1.05})
    assert change_points(seconds) == change_points([1e9 * value for value in seconds]) != ()


@pytest.mark.parametrize(
    ("values", "ratios"),
    [
        pytest.param([1.0, math.nan], True, id="not a number"),
        pytest.param([1.0, math.inf], False, id="infinite"),
        pytest.param([1.0, 0.0], True, id="a ratio to 0"),
        pytest.param([1.0, -1.0], True, id="below 0"),
    ],
)
def test_bad_values_are_refused(values: list[float], ratios: bool) -> None:
    with pytest.raises(ValueError, match="finite values"):
        change_points(values, ratios=ratios)

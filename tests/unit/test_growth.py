"""What a process holds more with every iteration, and what part of its time its stalls take."""

import pytest

from perfsuite.stats.growth import growth_bytes_per_iteration
from perfsuite.stats.stalls import stall_share

KIB, MIB = 1 << 10, 1 << 20
HELD = 300 * MIB


@pytest.mark.parametrize(
    ("held", "iterations", "expected"),
    [
        pytest.param([HELD] * 8, [10] * 8, 0.0, id="nothing is kept"),
        pytest.param([HELD + 128 * KIB * 10 * n for n in range(8)], [10] * 8, 128 * KIB, id="128 KiB at every pass"),
        pytest.param([HELD + 128 * KIB * n for n in range(8)], [1] * 8, 128 * KIB, id="one pass a block"),
        pytest.param([HELD, HELD + 5 * MIB] + [HELD + 9 * MIB] * 14, [10] * 16, 0.0, id="it settles at first"),
        pytest.param([HELD] * 12 + [HELD + 64 * MIB] * 4, [10] * 16, 0.0, id="once, late"),
        pytest.param([HELD - MIB * n for n in range(8)], [10] * 8, -MIB / 10, id="it shrinks"),
        pytest.param([HELD, None, HELD, None, HELD, HELD], [10] * 6, 0.0, id="some blocks were not read"),
        pytest.param([HELD] * 3, [10] * 3, None, id="three readings"),
        pytest.param([None] * 8, [10] * 8, None, id="a file older than readings"),
        pytest.param([], [], None, id="no blocks"),
    ],
)
def test_growth_is_the_slope_of_what_is_held(
    held: list[int | None], iterations: list[int], expected: float | None
) -> None:
    assert growth_bytes_per_iteration(held, iterations) == expected


def test_growth_counts_the_iterations_of_blocks_that_were_not_read() -> None:
    held = [HELD, None, HELD + 20 * MIB, HELD + 30 * MIB, HELD + 40 * MIB]
    assert growth_bytes_per_iteration(held, [10] * 5) == MIB


@pytest.mark.parametrize(
    ("latencies", "expected"),
    [
        pytest.param([10.0] * 20, 0.0, id="even"),
        pytest.param([10.0] * 19 + [30.0], 0.0, id="three times as long is a neighbour"),
        pytest.param([10.0] * 99 + [1010.0], 0.505, id="one a hundred times as long"),
        pytest.param([10.0] * 8 + [60.0] * 2, 0.6, id="two of ten"),
        pytest.param([10.0], 0.0, id="one iteration"),
        pytest.param([], 0.0, id="none"),
    ],
)
def test_stalls_are_what_takes_far_longer_than_the_rest(latencies: list[float], expected: float) -> None:
    assert stall_share(latencies) == pytest.approx(expected)

"""What a replicate's blocks tell beside its latency."""

import dataclasses
from collections.abc import Sequence

import pytest
from builders import replicate

from perfsuite.records.measurement import Block, Conditions, Replicate

MIB = 1 << 20
STILL = Conditions(
    others_cpu_s=0.0,
    steal_s=0.0,
    idle_cpu_s=0.0,
    frequency_mhz=None,
    load_1min=0.0,
    minor_faults=0,
    major_faults=0,
    resident_bytes=None,
)


def _holding(held_mib: Sequence[int]) -> Replicate:
    """Ten iterations a block, and what was held after each."""
    blocks = tuple(
        Block(latencies_ns=(1000,) * 10, conditions=dataclasses.replace(STILL, resident_bytes=held * MIB))
        for held in held_mib
    )
    return dataclasses.replace(replicate(1000), blocks=blocks)


@pytest.mark.parametrize(
    ("held_mib", "expected"),
    [
        pytest.param([100] * 8, 0.0, id="it is steady"),
        pytest.param([*range(100, 180, 20), *[180] * 4], 0.0, id="it grows in the first half alone"),
        pytest.param([*[100] * 4, *range(100, 180, 20)], 2.0 * MIB, id="it grows in the second half"),
        pytest.param([100] * 7, 0.0, id="four blocks of seven"),
        pytest.param([100] * 6, None, id="three blocks of six"),
    ],
)
def test_growth_is_of_the_later_half(held_mib: list[int], expected: float | None) -> None:
    assert _holding(held_mib).growth_bytes_per_iteration == expected


def test_without_readings_nobody_knows_of_growth() -> None:
    assert replicate(1000, 1000).growth_bytes_per_iteration is None

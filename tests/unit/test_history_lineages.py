"""Which stacks' sessions make a lineage, where one followed another and where they run by turns."""

from __future__ import annotations

import pytest
from builders import MACHINE, VARIANT

from perfsuite.history.lineages import lineage_of, lineages
from perfsuite.records.history import Circumstances, Metric, Point, Series


def _series(stacks: str) -> Series:
    """A session a letter, of the stack of that name."""
    points = tuple(
        Point(
            session=str(number), begun=f"202601{number:02}T000000.000000Z", machine_slug=MACHINE.slug, stack_slug=stack,
            value=1.0, verdict="unchanged", circumstances=Circumstances(software={}, machine={}),
        )
        for number, stack in enumerate(stacks)
    )  # fmt: skip
    return Series(variant=VARIANT.id, metric=Metric.LATENCY, machine_slug=MACHINE.slug, points=points)


def _told(line: Series) -> str:
    return "".join(point.stack_slug for point in line.points)


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        pytest.param("a", ["a"], id="one session"),
        pytest.param("aaabbbc", ["aaabbbc"], id="each replaced the last"),
        pytest.param("ababab", ["aaa", "bbb"], id="two by turns"),
        pytest.param("zaaaabbbabbb", ["zaaaaa", "zaaaabbbbbb"], id="the old one was run once more"),
        pytest.param("zzabababab", ["zzaaaa", "zzbbbb"], id="two by turns replaced one"),
        pytest.param("aabbabbbbc", ["aaa", "aabbbbbbc"], id="both are replaced since"),
        pytest.param("aaxaab", ["x", "aaaab"], id="one was tried once"),
        pytest.param("aacbcbdbdb", ["aaccdd", "aacbbbb"], id="one of two by turns was replaced"),
    ],
)
def test_stacks_that_run_by_turns_have_a_lineage_each(stacks: str, expected: list[str]) -> None:
    series = _series(stacks)
    found = lineages(series)
    assert [_told(line) for line in found] == expected
    assert {point.session for line in found for point in line.points} == {point.session for point in series.points}
    for line in found:
        begun = [point.begun for point in line.points]
        assert begun == sorted(begun)


@pytest.mark.parametrize(
    ("stacks", "stack", "expected"),
    [
        ("aabb", "b", "aabb"),
        ("aabb", "a", "aabb"),
        ("ababab", "a", "aaa"),
        ("ababab", "b", "bbb"),
        ("aacbcbdbdb", "c", "aaccdd"),
        ("aacbcbdbdb", "nobody's", "aacbbbb"),
    ],
)
def test_a_session_s_lineage_is_its_own_stack_s(stacks: str, stack: str, expected: str) -> None:
    assert _told(lineage_of(_series(stacks), stack)) == expected

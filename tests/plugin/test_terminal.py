"""pytest-benchmark's table beside perfsuite's: what is left of it by itself. Nothing of the suite is timed."""

from __future__ import annotations

import pytest

from perfsuite.terminal import asks_for_table


def test_a_project_s_own_benchmarks_keep_their_table(project: pytest.Pytester) -> None:
    project.makepyfile(test_own="def test_own(benchmark): benchmark(len, [])")
    quick = ("--benchmark-max-time=0.001", "--benchmark-min-rounds=1", "--benchmark-warmup=off")
    result = project.runpytest_inprocess("--benchmark-only", "-k", "test_own", *quick)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*benchmark: 1 tests*", "Name (time in *)  *", "test_own  *"])


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["--benchmark-only", "-k", "tiny"], False),
        (["--benchmark-json=out.json", "--benchmark-save=one", "--benchmark-autosave"], False),
        (["--benchmark-columns=min,max"], True),
        (["--benchmark-columns", "min,max"], True),
        (["--benchmark-sort=name"], True),
        (["--benchmark-group-by", "func"], True),
        (["--benchmark-compare=0001"], True),
        (["--benchmark-compare-fail=min:5%"], False),
        (["--benchmark-histogram"], True),
        (["--benchmark-verbose"], True),
    ],
)
def test_who_gives_an_option_of_the_table_asks_for_it(arguments: list[str], asked: bool) -> None:
    assert asks_for_table(arguments) is asked

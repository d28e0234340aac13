"""`--shard` in pytest: what each runner selects. Nothing is timed."""

from __future__ import annotations

import pytest

_SELECTED = "tiny and stock and eager"


def _collected(project: pytest.Pytester, *arguments: str) -> list[str]:
    result = project.runpytest_inprocess("--benchmark-only", "--collect-only", "-q", "-m", _SELECTED, *arguments)
    assert result.ret == 0
    return [line for line in result.stdout.lines if "::" in line]


def test_every_test_is_one_runner_s(project: pytest.Pytester) -> None:
    project.makepyfile(test_own="def test_own(benchmark): benchmark(len, [])")
    everything = _collected(project)
    parts = [_collected(project, "--shard", f"{number}/3") for number in (1, 2, 3)]
    assert sorted(one for part in parts for one in part) == sorted(everything)
    assert all(any("test_latency" in one for one in part) for part in parts)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--benchmark-only", "--shard", "6/5"], "6/5 is no shard: give 2/5 for the second of five"),
        (["--benchmark-only", "--shard", "half"], "half is no shard"),
        (["--shard", "1/2"], "--shard: of a timing run only"),
        (
            ["--benchmark-only", "--collect-only", "-m", "tiny and stock and eager and bf16", "--shard", "1/9"],
            "give 1 at most",
        ),
    ],
)
def test_what_is_no_shard_is_refused(project: pytest.Pytester, arguments: list[str], words: str) -> None:
    result = project.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()

"""Timing runs against a baseline, from the first to a regression, over a real worker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ONE = "tiny and stock and eager and fp32"


def _run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("--benchmark-only", "-k", _ONE, *arguments)


def _baseline(project: pytest.Pytester) -> Path:
    (path,) = (project.path / "baselines").glob("*/*.json")
    return path


def test_a_baseline_is_missed_accepted_held_against_and_not_trusted_blindly(project: pytest.Pytester) -> None:
    first = _run(project, "--baseline-update-new")
    assert first.ret == 0
    first.stdout.fnmatch_lines(
        [
            "test_latency?tiny-stock-eager-fp32-latency? *",
            "verdicts: 1 missing-baseline",
            "accepted 1 into *.json",
            "wall time *",
        ]
    )

    path = _baseline(project)
    document = json.loads(path.read_text())
    (benchmark,) = document["benchmarks"]
    assert benchmark["stats"]["rounds"] == sum(
        len(replicate["latencies_ns"]) for replicate in benchmark["extra_info"]["perfsuite"]["replicates"]
    )
    assert len(benchmark["extra_info"]["perfsuite"]["replicates"]) == 2
    compared = subprocess.run(
        [Path(sys.executable).with_name("pytest-benchmark"), "compare", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "tiny-stock-eager-fp32-latency" in compared.stdout

    # A baseline a thousand times faster: past what two replicates beside any neighbour can differ by
    # (their interval once held a ratio of 5.6).
    for replicate in benchmark["extra_info"]["perfsuite"]["replicates"]:
        replicate["latencies_ns"] = [latency // 1000 for latency in replicate["latencies_ns"]]
    path.write_text(json.dumps(document))
    regressed = _run(project, "--benchmark-json", "measured.json")
    assert regressed.ret == 1
    regressed.stdout.fnmatch_lines(["*tiny-stock-eager-fp32-latency: regressed, ratio *against*slower than*"])
    assert json.loads((project.path / "measured.json").read_text())["benchmarks"]

    benchmark["extra_info"]["perfsuite"]["digests"]["weights_sha256"] = "0" * 64
    path.write_text(json.dumps(document))
    other = _run(project)
    assert other.ret == 0
    other.assert_outcomes(skipped=1)
    other.stdout.fnmatch_lines(["*incomparable*weights digest 000000000000 in the baseline*"])
    assert _run(project, "--require-verdict").ret == 1


def test_pytest_benchmark_saves_and_compares(project: pytest.Pytester) -> None:
    assert _run(project, "--benchmark-save", "one").ret == 0
    compared = _run(project, "--benchmark-compare", "0001", "-W", "error")
    assert compared.ret == 0
    compared.stdout.fnmatch_lines(["*tiny-stock-eager-fp32-latency? (NOW)*"])


@pytest.mark.parametrize(
    "content", ["", '{"benchmarks": [', '{"benchmarks": [{"stats": {}}]}', "[]", '{"machine_info": {}}']
)
def test_a_file_that_is_no_baseline_stops_the_run_before_it_starts(project: pytest.Pytester, content: str) -> None:
    path = project.path / "baselines" / "some-machine" / "some-stack.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    result = _run(project)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{path.name} is not *"])

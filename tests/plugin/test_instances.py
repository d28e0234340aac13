"""Instances that start together: real workers on seats of their own, one of them planted slow after the baseline."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from project import SETTINGS, words

from perfsuite.errors import UsageError
from perfsuite.measure.placement import place
from perfsuite.settings import Settings

_MODELS = """
slow-seat = "misbehaving:SLOW_SEAT"
"""
_SELECTED = ("--benchmark-only", "-k", "slow-seat and stock and eager and fp32", "--no-evidence")
# An instance that sleeps 20 ms in passes of 0.2 leaves the work to the other: on an idle machine the time for each pass
# doubles, beside busy neighbours, whom it leaves its core, it becomes 1.5 times as long.
_TWO = ("--instances", "2", "--matters", "20%")


@pytest.fixture
def cpus() -> tuple[int, ...]:
    """Of two instances of one thread each."""
    try:
        return place(Settings(instances=2, threads=1)).cpus
    except UsageError as error:
        pytest.skip(f"two instances need two CPUs: {error}")


def test_a_slow_instance_is_a_regression_confirmed_side_by_side_and_named(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, cpus: tuple[int, ...]
) -> None:
    project.makepyprojecttoml(SETTINGS + _MODELS)
    first = project.runpytest_subprocess(*_SELECTED, *_TWO, "--baseline-update-new", "--benchmark-json", "first.json")
    first.assert_outcomes(passed=1)
    told = "* slow-seat-*: * items/s by 2 instances; a pass under that load takes * (p50), *"
    assert fnmatchcase(words(first), told)
    (stored,) = (project.path / "baselines").glob("*/*/*.json")
    assert "-2x1t-" in stored.parts[-3]
    for file in (stored, project.path / "first.json"):
        (benchmark,) = json.loads(file.read_text())["benchmarks"]
        for replicate in benchmark["extra_info"]["perfsuite"]["replicates"]:
            assert len(replicate["blocks"]) >= 8
            for block in replicate["blocks"]:
                assert len(block["load"]["passes"]) == 2
                assert block["load"]["items"] == 1
                # Both ran all the time: whoever came late, or ended early, has not shortened the window to nothing.
                assert sum(block["latencies_ns"]) >= 1.5 * block["load"]["window_ns"]
    monkeypatch.setenv("TORCH_FAULTY", str(cpus[1]))
    night = project.runpytest_subprocess(*_SELECTED, *_TWO)
    night.assert_outcomes(failed=1)
    for told in (
        "* slow-seat-*: regressed*",
        "*confirmed regression: * pairs of processes, side by side with the baseline's stack;*",
        "* instance 2 of 2 is slow: *% of the passes that each would have made if all were alike*",
    ):
        assert fnmatchcase(words(night), told)


def test_placements_are_compared_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    command = [str(Path(sys.executable).with_name("perfsuite")), "compare", "current:stock", "current:stock"]
    command += ["-k", "tiny and eager and fp32", "--workload", "smoke", "--resolution", "50%", "--output", "out.json"]
    command += ["--threads", "1", "--b-instances", "2", "--budget", "20s"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1, 3), done.stdout + done.stderr  # which is faster, if any, is the machine's business
    assert "current:stock 2x1t" in done.stdout
    assert "items/s" in done.stdout
    report = json.loads((tmp_path / "out.json").read_text())["report"]
    assert [len(report[side]["placement"]["seats"]) for side in ("baseline", "candidate")] == [1, 2]
    (row,) = report["rows"]
    assert row["pairs"]
    for pair in row["pairs"]:
        for side, count in (("baseline", 1), ("candidate", 2)):
            assert {len(block["load"]["passes"]) for block in pair[side]["blocks"]} == {count}
            assert {block["load"]["items"] for block in pair[side]["blocks"]} == {2}
            assert all(block["conditions"]["idle_cpu_s"] <= 0.021 for block in pair[side]["blocks"])

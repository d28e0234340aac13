"""A library of the setting is in every worker, in the record, in explanations, and beside the baseline."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from ctypes import CDLL
from pathlib import Path

import pytest
from project import SETTINGS, words
from test_processes import PARENT
from test_processes import SETTINGS as PARENTS

from perfsuite.machine.preload import ALLOCATORS, LD_PRELOAD, find_library
from perfsuite.measure.rig import Rig

_COMMAND = str(Path(sys.executable).with_name("perfsuite"))
_SELECTED = ("--benchmark-only", "-k", "tiny and stock and eager and fp32", "--no-evidence")


@pytest.fixture(scope="module")
def allocator() -> str:
    """The name of one that is installed."""
    found = [name for name in ALLOCATORS if find_library(name, Path(sys.executable))]
    if not found:
        pytest.skip("no allocator here: Debian has libjemalloc2 and libtcmalloc-minimal4")
    return found[0]


@pytest.fixture
def file(allocator: str) -> str:
    return str(find_library(allocator, Path(sys.executable)))


def test_a_worker_has_it_loaded(allocator: str) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    for preload, there in (((allocator,), True), ((), False)):
        with Rig(dataclasses.replace(PARENTS, preload=preload), environ=environ) as rig, rig.worker(PARENT) as worker:
            assert (f"lib{allocator}.so" in Path(f"/proc/{worker.pid}/maps").read_text()) is there


def _recorded(file: Path) -> str | None:
    variables: dict[str, str] = json.loads(file.read_text())["perfsuite"]["environment"]
    return variables.get(LD_PRELOAD)


def test_a_timing_run_records_it_and_an_explanation_names_it(
    project: pytest.Pytester, allocator: str, file: str
) -> None:
    before = project.runpytest_subprocess(*_SELECTED, "--baseline-update-new", "--benchmark-json=before.json")
    before.assert_outcomes(passed=1)
    after = project.runpytest_subprocess(
        *_SELECTED, "--preload", allocator, "--confirm", "all", "--matters", "90%", "--benchmark-json=after.json"
    )
    after.assert_outcomes(passed=1)
    assert "screening" in after.stderr.str()
    assert [_recorded(project.path / name) for name in ("before.json", "after.json")] == [None, file]
    explained = subprocess.run(
        [_COMMAND, "explain", "before.json", "after.json"], cwd=project.path, capture_output=True, text=True, check=True
    )
    assert f"LD_PRELOAD {file} (was unset)" in " ".join(explained.stdout.split())


def test_with_it_on_both_sides_there_is_nothing_to_step(project: pytest.Pytester, allocator: str, file: str) -> None:
    table = f'preload = ["{allocator}"]\n\n[tool.perfsuite.models]'
    project.makepyprojecttoml(SETTINGS.replace("[tool.perfsuite.models]", table))
    project.runpytest_subprocess(*_SELECTED, "--baseline-update-new").assert_outcomes(passed=1)
    (stored,) = (project.path / "baselines").glob("*/*/*.json")
    assert _recorded(stored) == file
    again = project.runpytest_subprocess(*_SELECTED, "--confirm", "all")
    again.assert_outcomes(passed=1)
    assert "screening" not in again.stderr.str()
    refused = project.runpytest_inprocess("--collect-only", "--preload=libnone.so")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert "preload: libnone.so cannot be loaded: cannot open shared object file" in refused.stderr.str()


def _library_of_ones_own(folder: Path) -> Path:
    """One that any process can load, where no loader looks."""
    CDLL("libresolv.so.2")
    (real,) = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libresolv" in line}
    return Path(shutil.copy(real, folder / "libmine.so"))


def test_a_baseline_is_stepped_with_the_library_of_a_path(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which its record has the name alone."""
    preload = f"--preload={_library_of_ones_own(project.path)}"
    project.runpytest_subprocess(*_SELECTED, preload, "--baseline-update-new").assert_outcomes(passed=1)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX")  # else there is nothing to step
    again = project.runpytest_subprocess(*_SELECTED, preload, "--confirm", "all", "--matters", "90%")
    assert "screening" in again.stderr.str()
    assert "cannot be loaded" not in words(again)


def test_a_baseline_whose_library_is_gone_is_not_stepped_without_it(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = _library_of_ones_own(project.path)
    monkeypatch.setenv(LD_PRELOAD, str(mine))
    project.runpytest_subprocess(*_SELECTED, "--baseline-update-new").assert_outcomes(passed=1)
    monkeypatch.delenv(LD_PRELOAD)
    again = project.runpytest_subprocess(*_SELECTED, "--confirm", "all")
    assert "the baseline ran with LD_PRELOAD=libmine.so: libmine.so cannot be loaded" in words(again)

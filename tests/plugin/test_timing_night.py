"""A night: what is slower, what only seems so since the machine moved, and what nobody can tell; over real workers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from project import SETTINGS

_MODELS = """
slows = "misbehaving:SLOWS"
"""
_SELECTED = "stock and eager and fp32 and (tiny or slows)"
_SLOWS, _TINY = "slows-stock-eager-fp32-latency", "tiny-stock-eager-fp32-latency"


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves what it accepted, for the others."""
    return tmp_path_factory.mktemp("accepted") / "baselines"


@pytest.fixture
def night(project: pytest.Pytester, accepted: Path) -> Callable[..., pytest.RunResult]:
    """Runs a night of the project, against the baseline that was accepted."""
    project.makepyprojecttoml(SETTINGS + _MODELS)

    def run(*arguments: str) -> pytest.RunResult:
        return project.runpytest_subprocess("--benchmark-only", "-m", _SELECTED, "--matters", "50%", *arguments)

    baselines = project.path / "baselines"
    if accepted.exists():
        shutil.copytree(accepted, baselines)
    else:
        assert run("--baseline-update-new").ret == 0
        shutil.copytree(baselines, accepted)
    return run


def _edit(project: pytest.Pytester, change: Callable[[dict[str, Any]], None]) -> None:
    """Change each measurement of the accepted session."""
    for path in (project.path / "baselines").rglob("*.json"):
        document = json.loads(path.read_text())
        for benchmark in document["benchmarks"]:
            change(benchmark["extra_info"]["perfsuite"])
        path.write_text(json.dumps(document))


def _make_faster(measurement: dict[str, Any]) -> None:
    for replicate in measurement["replicates"]:
        for block in replicate["blocks"]:
            block["latencies_ns"] = [latency // 100 for latency in block["latencies_ns"]]


def test_only_what_is_slower_beside_its_baseline_fails(
    project: pytest.Pytester, night: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable that makes one model slower is today's alone: the baseline is stepped without it."""
    monkeypatch.setenv("TORCH_FAULTY", "1")
    monkeypatch.setenv("TERM", "xterm")
    shutil.copy(Path(__file__).with_name("terminal_record.py"), project.path / "conftest.py")
    found = night("--confirm", "all", "--report-html=night.html")
    assert found.ret == 1
    _assert_still_while_timing(json.loads((project.path / "terminal.json").read_text()))
    found.assert_outcomes(passed=1, failed=1)
    for line in (
        f"*{_SLOWS}: regressed, ratio *",
        "*confirmed regression: * pairs of processes, side by side with the baseline's stack*",
        "*variables: TORCH_FAULTY 1 (was unset)*",
    ):
        found.stdout.fnmatch_lines([line])
    found.stdout.fnmatch_lines(["page: *night.html"])
    page = (project.path / "night.html").read_text(encoding="utf-8")
    for text in (f'<a href="#{_SLOWS}">', "Ratio of each pair of processes", "confirmed regression: ", "TORCH_FAULTY"):
        assert text in page


def _assert_still_while_timing(record: dict[str, Any]) -> None:
    """The live table was drawn while measuring and confirming, and never while anything was timed."""
    kinds = [what for what, _, _ in record["events"]]
    assert kinds.count("begin") == kinds.count("end") > 20
    assert kinds.count("drawn") > 6
    for kind, following in pairwise(kinds):
        assert (kind == "begin") == (following == "end"), "something was drawn while a block was timed"
    assert {threads for what, _, threads in record["events"] if what == "begin"} == {1}
    for words in ("measuring ", "screening ", _SLOWS, "left to measure", "left to confirm"):
        assert words in record["drawn"]


def test_a_machine_that_moved_fails_nobody(project: pytest.Pytester, night: Callable[..., pytest.RunResult]) -> None:
    _edit(project, _make_faster)
    found = night()
    assert found.ret == 0
    found.assert_outcomes(passed=2)
    found.stdout.fnmatch_lines(["machine drift (2, stored *): *", "*the baseline's stack itself takes *times*"])


def test_a_stack_that_nobody_can_build_leaves_its_suspects_unconfirmed(
    project: pytest.Pytester, night: Callable[..., pytest.RunResult]
) -> None:
    def age(path: Path) -> None:
        document = json.loads(path.read_text())
        document["perfsuite"]["stack"]["packages"]["torch"] = "0.0.1"
        path.write_text(json.dumps(document))

    _edit(project, _make_faster)
    (path,) = (project.path / "baselines").rglob("*.json")
    age(path)
    slug = f"{path.parent.name.rpartition('-')[0]}-0.0.1"
    path.parent.rename(path.parent.with_name(slug))
    found = night("-k", _TINY)
    assert found.ret == 0
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines([f"*{_TINY}: inconclusive*", f"not confirmed (1): {_TINY}", "*torch*0.0.1*"])
    assert night("-k", _TINY, "--require-verdict").ret == 1


def test_who_confirms_nothing_goes_by_the_stored_sessions(
    project: pytest.Pytester, night: Callable[..., pytest.RunResult]
) -> None:
    _edit(project, _make_faster)
    found = night("--confirm", "none", "-k", _TINY, "--replicates", "4")
    assert found.ret == 1
    found.stdout.fnmatch_lines([f"{_TINY}: regressed, ratio *", "--confirm none: *"])

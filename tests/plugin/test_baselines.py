"""Timing runs against a baseline, from the first to a regression, over a real worker."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from project import too_wide, words

from perfsuite.backends.registry import slug_of
from perfsuite.records.session import Session
from perfsuite.store.baselines import Baselines
from perfsuite.store.documents import head_fields
from perfsuite.store.sessions import read_stored

_ONE = "tiny and stock and eager and fp32"


def _run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """What stored sessions alone tell: ``test_timing_night`` has what is confirmed."""
    return project.runpytest_subprocess("--benchmark-only", "--confirm", "none", "-k", _ONE, *arguments)


def _judge(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.run(Path(sys.executable).with_name("perfsuite"), "judge", *arguments)


def _make_faster(path: Path) -> None:
    """A thousand times: past what two replicates beside any neighbour can differ by (their interval once held 5.6)."""
    document = json.loads(path.read_text())
    for replicate in document["benchmarks"][0]["extra_info"]["perfsuite"]["replicates"]:
        for block in replicate["blocks"]:
            block["latencies_ns"] = [latency // 1000 for latency in block["latencies_ns"]]
    path.write_text(json.dumps(document))


def _move(path: Path, **changes: Any) -> Path:
    """The same baseline as that of another stack or machine class; the path it is then at."""
    document = json.loads(path.read_text())
    moved = dataclasses.replace(_session(path), **changes)
    document["perfsuite"] = head_fields(moved)
    folder = path.parents[2]
    shutil.rmtree(folder)
    path = Baselines(folder, most=8).path(moved)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document))
    return path


def _session(path: Path) -> Session:
    return read_stored(path).session


def _files(project: pytest.Pytester) -> list[Path]:
    return sorted((project.path / "baselines").glob("*/*/*.json"))


def _baseline(project: pytest.Pytester) -> Path:
    (path,) = _files(project)
    return path


def test_a_baseline_is_missed_accepted_held_against_and_not_trusted_blindly(project: pytest.Pytester) -> None:
    first = _run(project, "--baseline-update-new")
    assert first.ret == 0
    first.stdout.fnmatch_lines(
        [
            "tiny latency",
            "  eager * ms missing-baseline",
            "verdicts: 1 missing-baseline",
            "accepted 1 into *.json",
            "  1 of 3 sessions: too few to know *",
            "wall time *",
        ]
    )

    assert not too_wide(first)
    assert "Name (time in" not in str(first.stdout)  # pytest-benchmark's table is for who asks

    path = _baseline(project)
    document = json.loads(path.read_text())
    (benchmark,) = document["benchmarks"]
    assert benchmark["stats"]["rounds"] == sum(
        len(block["latencies_ns"])
        for replicate in benchmark["extra_info"]["perfsuite"]["replicates"]
        for block in replicate["blocks"]
    )
    assert len(benchmark["extra_info"]["perfsuite"]["replicates"]) == 2
    before = _session(path)
    assert before.measurements[0].evidence is not None
    assert before.measurements[0].session == before.id
    assert before.contents["pytest"]
    assert before.state.kernel

    # A busy machine makes a tiny model 1.4 times faster, after which what is stored would count no more.
    lenient = ("--regression-ratio", "100")
    updated = _run(project, "--baseline-update", "--no-evidence", "--benchmark-columns", "median", *lenient)
    updated.stdout.fnmatch_lines(["Name (time in *)  *Median", "test_latency?tiny-stock-eager-fp32-latency? *"])
    assert updated.ret == 0
    updated.stdout.fnmatch_lines(
        ["accepted 1 into *.json", "  2 of 3 sessions: *", "  kept the stored evidence of 1: *"]
    )
    assert _files(project)[0] == path
    path = _files(project)[1]
    after = _session(path)
    assert after.begun_at > before.begun_at
    assert after.measurements[0].evidence is None
    compared = subprocess.run(
        [Path(sys.executable).with_name("pytest-benchmark"), "compare", *_files(project)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert compared.stdout.count("tiny-stock-eager-fp32-latency") >= 2

    for file in _files(project):
        _make_faster(file)
    regressed = _run(project, "--benchmark-json", "measured.json")
    assert regressed.ret == 1
    said = f"*tiny-stock-eager-fp32-latency: regressed, ratio *against * of {path.parent.name} (2 sessions, accepted *"
    assert fnmatchcase(words(regressed), said)
    assert not too_wide(regressed)
    assert _session(project.path / "measured.json").measurements
    judged = _judge(project, "--baseline", *map(str, _files(project)), "--candidate", "measured.json")
    assert judged.ret == 1
    judged.stdout.fnmatch_lines(
        ["*tiny-stock-eager-fp32-latency: *regressed*", "may be slower, unconfirmed (1): tiny-*"]
    )

    for file in _files(project):
        document = json.loads(file.read_text())
        document["benchmarks"][0]["extra_info"]["perfsuite"]["digests"]["weights_sha256"] = "0" * 64
        file.write_text(json.dumps(document))
    other = _run(project, "--no-evidence")
    assert other.ret == 1  # the baseline covers nothing any more
    assert fnmatchcase(words(other), "*incomparable*weights digest 000000000000 in the baseline*")


def test_another_stacks_baseline_is_held_against_and_another_machines_only_named(project: pytest.Pytester) -> None:
    assert _run(project, "--baseline-update-new", "--no-evidence").ret == 0
    path = _baseline(project)
    mine = _session(path)
    older = dataclasses.replace(mine.stack, packages={**mine.stack.packages, "torch": "1.13.0"})
    path = _move(path, stack=older)
    _make_faster(path)

    upgraded = _run(project, "--no-evidence")
    assert upgraded.ret == 1
    assert fnmatchcase(words(upgraded), f"*: regressed, ratio * of {slug_of(older)} (accepted *")
    upgraded.stdout.fnmatch_lines([f"*held against {slug_of(older)}*: 1"])
    for name, reason in (
        ("nowhere", "no such stack; there are current, *ipex-2.8*"),
        ("current", f"stack current ({slug_of(mine.stack)}) has no accepted baseline"),
    ):
        refused = _run(project, "--baseline-stack", name)
        assert refused.ret == pytest.ExitCode.USAGE_ERROR
        refused.stderr.fnmatch_lines(
            [f"ERROR: --baseline-stack {name}: {reason}; accepted for this machine class: {slug_of(older)}"]
        )

    elsewhere = dataclasses.replace(mine.machine, threads=mine.machine.threads + 1)
    _move(path, stack=mine.stack, machine=elsewhere)
    first = _run(project, "--no-evidence")
    first.assert_outcomes(passed=1)
    assert first.ret == 0
    first.stdout.fnmatch_lines(["verdicts: 1 missing-baseline"])
    assert fnmatchcase(
        words(first),
        f"*no baseline for this machine class ({mine.machine.slug}) yet; --baseline-update-new accepts *"
        f"nearest: {elsewhere.slug}, which differs in threads (2 there, 1 here)*",
    )
    assert str(first.stdout).count(elsewhere.slug) == 1


def test_pytest_benchmark_saves_and_compares(project: pytest.Pytester) -> None:
    assert _run(project, "--benchmark-save", "one").ret == 0
    compared = _run(project, "--benchmark-compare", "0001", "-W", "error")
    assert compared.ret == 0
    compared.stdout.fnmatch_lines(["*tiny-stock-eager-fp32-latency? (NOW)*"])


@pytest.mark.parametrize(
    "content", ["", '{"benchmarks": [', '{"benchmarks": [{"stats": {}}]}', "[]", '{"machine_info": {}}']
)
def test_a_file_that_is_no_baseline_stops_the_run_before_it_starts(project: pytest.Pytester, content: str) -> None:
    path = project.path / "baselines" / "some-machine" / "some-stack" / "session.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    result = project.runpytest_inprocess("--benchmark-only", "-k", _ONE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{path.name} is not *"])

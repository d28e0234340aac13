"""What may not end green in `pytest --benchmark-only`: real workers, with faults planted after the baseline."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from project import SETTINGS

_MODELS = """
stalls = "misbehaving:STALLS"
wrong-alone = "misbehaving:WRONG_ALONE"
"""
_GONE = '\ngone = "misbehaving:TINY"\n'
_NO_TORCH = f"""
[tool.perfsuite.stacks.no-torch]
interpreter = "{sys.base_prefix}/bin/python3"
"""
_SELECTED = (
    "stock and eager and (latency and (stalls and fp32 or wrong-alone and bf16) "
    "or example and (tiny and (fp32 or bf16) or wrong-alone and bf16))"
)


@pytest.fixture
def timing(project: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Runs a timing run of the project."""
    project.makepyprojecttoml(SETTINGS + _MODELS + _NO_TORCH)
    return lambda *arguments: project.runpytest_subprocess("--benchmark-only", *arguments)


def _edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change each measurement of a file of baselines."""
    document = json.loads(path.read_text())
    for benchmark in document["benchmarks"]:
        change(benchmark["extra_info"]["perfsuite"])
    path.write_text(json.dumps(document))


def _double(path: Path, model: str, other: str) -> None:
    """Have the baseline hold one more model, with the same measurements."""
    document = json.loads(path.read_text())
    named = f'"model": "{model}"'
    copies = [json.dumps(one).replace(named, f'"model": "{other}"') for one in document["benchmarks"]]
    document["benchmarks"] += [json.loads(copy) for copy in copies if f'"model": "{other}"' in copy]
    path.write_text(json.dumps(document))


def test_nothing_wrong_slower_or_lost_is_green(
    project: pytest.Pytester, timing: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A baseline of another version, and in one night every fault that such a run must not let pass."""
    accepted = timing("-m", _SELECTED, "--replicates", "4", "--baseline-update-new")
    # What is wrong at the shape that is timed is wrong, and no baseline for tomorrow.
    assert accepted.ret == 1
    accepted.stdout.fnmatch_lines(["*wrong-alone-stock-eager-bf16-latency: error*", "*wrong: SQNR * is below *"])
    accepted.stdout.fnmatch_lines(["accepted 4 into *.json"])
    (path,) = (project.path / "baselines").glob("*/*.json")
    assert "wrong-alone-stock-eager-bf16-latency" not in path.read_text()

    def age(measurement: dict[str, Any]) -> None:
        measurement["stack"]["packages"]["torch"] = "2.7.9"
        variant = measurement["variant"]
        if (variant["model"], variant["precision"], variant["workload"]) == ("tiny", "fp32", "example"):
            for replicate in measurement["replicates"]:
                for block in replicate["blocks"]:
                    block["latencies_ns"] = [latency // 1000 for latency in block["latencies_ns"]]
        if variant["model"] == "wrong-alone":  # a variant of a model that there is no more
            variant["model"] = "gone"

    _edit(path, age)
    _double(path, "gone", "unasked")
    slug = path.stem.rpartition("-")[0] + "-2.7.9"
    path.rename(path.with_name(f"{slug}.json"))
    monkeypatch.setenv("TORCH_FAULTY", "1")
    night = timing("-m", f"{_SELECTED} or gone", "--replicates", "4")
    assert night.ret == 1
    night.stdout.fnmatch_lines([f"held against {slug} *"])
    for line in (
        "*stalls-stock-eager-fp32-latency: regressed, *the slowest quarter of its iterations takes *",
        "*tiny-stock-eager-fp32-example: regressed, *though by one replicate a side*",
        "*tiny-stock-eager-bf16-example: inconclusive, *cannot be judged: one replicate a side*",
        "*gone-stock-eager-bf16-example: lost*",
        "*lost: it runs in the baseline and is unsupported here: there is no model gone*",
    ):
        night.stdout.fnmatch_lines([line])
    assert "unasked" not in night.stdout.str()


def test_a_run_that_times_nothing_fails_and_says_why(timing: Callable[..., pytest.RunResult]) -> None:
    result = timing("--stack", "no-torch", "-m", "ipex and tiny", "--require-verdict")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["nothing was timed: all 16 variants that were asked for are unsupported*", "  16 of them: *is not installed*"]
    )


def test_a_compiled_mode_that_compiled_nothing_fails(
    timing: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "1")
    result = timing("-m", "tiny and stock and dynamo and fp32")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*kernels: 0 compiled graphs, expected at least 1*"])


@pytest.mark.parametrize("name", ["no-such-stack", "ipex-2.6"])
def test_a_baseline_stack_that_there_is_not_is_refused(project: pytest.Pytester, name: str) -> None:
    result = project.runpytest_inprocess("--benchmark-only", "--baseline-stack", name, "-m", "tiny")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{name}*"])
    shutil.rmtree(project.path / ".perfsuite", ignore_errors=True)


@pytest.mark.parametrize(
    "option", ["--resume", "--baseline-update", "--no-evidence", "--replicates=3", "--accept-lost"]
)
def test_an_option_of_timing_runs_is_not_ignored_in_silence(project: pytest.Pytester, option: str) -> None:
    result = project.runpytest_inprocess(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option.partition('=')[0]}: of a timing run only; add --benchmark-only"])

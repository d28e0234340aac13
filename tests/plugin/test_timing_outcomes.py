"""What may not end green in `pytest --benchmark-only`: real workers, with faults planted after the baseline."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from project import SETTINGS, too_wide, words

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
    (path,) = (project.path / "baselines").glob("*/*/*.json")
    assert "wrong-alone-stock-eager-bf16-latency" not in path.read_text()

    def age(measurement: dict[str, Any]) -> None:
        variant = measurement["variant"]
        if (variant["model"], variant["precision"], variant["workload"]) == ("tiny", "fp32", "example"):
            for replicate in measurement["replicates"]:
                for block in replicate["blocks"]:
                    block["latencies_ns"] = [latency // 1000 for latency in block["latencies_ns"]]
        if variant["model"] == "wrong-alone":  # a variant of a model that there is no more
            variant["model"] = "gone"

    _edit(path, age)
    _double(path, "gone", "unasked")
    document = json.loads(path.read_text())
    document["perfsuite"]["stack"]["packages"]["torch"] = "2.7.9"
    path.write_text(json.dumps(document))
    slug = path.parent.name.rpartition("-")[0] + "-2.7.9"
    path.parent.rename(path.parent.with_name(slug))
    monkeypatch.setenv("TORCH_FAULTY", "1")
    night = timing("-m", f"{_SELECTED} or gone", "--replicates", "4", "--confirm", "none")
    assert night.ret == 1
    night.stdout.fnmatch_lines([f"held against {slug} *"])
    # Four short replicates beside other tests may leave the slowest quarters' interval open; then the stalls tell.
    night.stdout.re_match_lines([r".*stalls-stock-eager-fp32-latency: regressed\b"])
    assert re.search(r"the slowest quarter of its iterations takes |% of the time is stalls", words(night))
    for told in (
        "*tiny-stock-eager-fp32-example: regressed, *though by one replicate a side*",
        "*gone-stock-eager-bf16-example: lost*",
        "*lost: it runs in the baseline and is unsupported here: there is no model gone*",
    ):
        assert fnmatchcase(words(night), told)
    assert not too_wide(night)
    assert "unasked" not in night.stdout.str()


def test_a_run_that_times_nothing_fails_and_says_why(timing: Callable[..., pytest.RunResult]) -> None:
    result = timing("--stack", "no-torch", "-m", "ipex and tiny", "--require-verdict", "-rs")
    assert result.ret == 1
    assert not too_wide(result)
    result.stdout.fnmatch_lines(["SKIPPED ?24? *test_speed.py:*"])
    result.stdout.fnmatch_lines(
        ["nothing was timed: all 24 variants that were asked for are unsupported*", "  24 of them: *is not installed*"]
    )


def test_a_compiled_mode_that_compiled_nothing_fails_wherever_people_look(
    project: pytest.Pytester, timing: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "1")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path(__file__).parents[2]))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    result = timing(
        "-m", "tiny and stock and dynamo and fp32", "--junit-xml=report.xml", "--report-markdown=comment.md",
        "--report-issue=issue.txt",
    )  # fmt: skip
    variant = "tiny-stock-dynamo-fp32-latency"
    why = "kernels: 0 compiled graphs, expected at least 1"
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [f"*{why}*", f"::error file=perfsuite/models/tiny.py,line=*,title={variant}::{variant}: lost*{why}*"]
    )
    for name in ("summary.md", "comment.md", "issue.txt"):
        text = (project.path / name).read_text()
        assert f"- {why}" in text
        assert f"TORCHDYNAMO_DISABLE=1 pytest --benchmark-only -k {variant} --workload latency" in text
    assert (project.path / "issue.txt").read_text().startswith(f"{variant}: lost\n\n")
    (case,) = ElementTree.parse(project.path / "report.xml").iter("testcase")
    told = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert (told["variant"], told["verdict"]) == (variant, "lost")
    assert float(told["latency_s"] or 0) > 0


@pytest.mark.parametrize("name", ["no-such-stack", "ipex-2.6"])
def test_a_baseline_stack_that_there_is_not_is_refused(project: pytest.Pytester, name: str) -> None:
    result = project.runpytest_inprocess("--benchmark-only", "--baseline-stack", name, "-m", "tiny")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{name}*"])
    shutil.rmtree(project.path / ".perfsuite", ignore_errors=True)


@pytest.mark.parametrize(
    "option",
    ["--resume", "--baseline-update", "--no-evidence", "--replicates=3", "--accept-lost", "--report-html=page.html"],
)
def test_an_option_of_timing_runs_is_not_ignored_in_silence(project: pytest.Pytester, option: str) -> None:
    result = project.runpytest_inprocess(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option.partition('=')[0]}: of a timing run only; add --benchmark-only"])

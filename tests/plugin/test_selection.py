"""What a run selects, skips and refuses. No worker starts."""

from __future__ import annotations

import pytest


def _collected(project: pytest.Pytester, *arguments: str) -> list[str]:
    result = project.runpytest_inprocess("--collect-only", "-q", *arguments)
    return [line.partition("[")[2].rstrip("]") for line in result.outlines if "::" in line]


def test_plain_pytest_times_nothing(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--collect-only", "-q")
    assert any("test_outputs" in line for line in result.outlines)
    assert not any("test_latency" in line for line in result.outlines)


def test_benchmark_only_runs_timings_alone(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--collect-only", "-q", "--benchmark-only")
    assert any("test_latency" in line for line in result.outlines)
    assert not any("test_outputs" in line for line in result.outlines)


def test_marks_select_models_backends_modes_and_precisions(project: pytest.Pytester) -> None:
    chosen = _collected(project, "--benchmark-only", "-m", "bert-base and ipex and bf16 and not dynamo")
    assert chosen == [f"bert-base-ipex-{mode}-bf16-latency" for mode in ("eager", "torchscript", "deployed")]
    assert _collected(project, "-m", "int8-static and tiny and stock and eager") == [
        "tiny-stock-eager-int8-static-smoke"
    ]


def test_a_workload_is_chosen_by_option_or_by_mark(project: pytest.Pytester) -> None:
    by_option = _collected(project, "--workload", "latency,throughput", "-k", "tiny and stock and eager and bf16")
    assert by_option == ["tiny-stock-eager-bf16-latency", "tiny-stock-eager-bf16-throughput"]
    published = _collected(project, "--benchmark-only", "-m", "example and published")
    assert len(published) == 15
    assert all(name.endswith("-example") for name in published)


def test_unsupported_variants_are_skipped_with_their_reason(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("-rs", "-k", "tiny and stock and torchscript and int8 and not weight")
    assert result.ret == 0
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*unsupported: torchao's INT8 is lowered by Inductor alone*"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workload", "weekend"], "*--workload: no workload weekend; there are smoke, latency*"),
        (["--benchmark-only", "--regression-ratio", "0.5"], "*regression_ratio must be above 1*"),
    ],
)
def test_bad_options_are_refused_in_one_line(project: pytest.Pytester, arguments: list[str], message: str) -> None:
    result = project.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_a_bad_model_setting_is_refused(project: pytest.Pytester) -> None:
    project.makepyprojecttoml('[tool.perfsuite.models]\nmine = "no_such_module:MODEL"\n')
    result = project.runpytest_inprocess("--collect-only")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *mine = 'no_such_module:MODEL'*"])


def test_resume_without_a_journal_is_refused(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--benchmark-only", "--resume", "-k", "tiny and stock and eager and fp32")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--resume: there is no journal" in result.stderr.str() + result.stdout.str()

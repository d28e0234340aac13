"""`pytest --stack`: the suite in another interpreter."""

from __future__ import annotations

import sys

import pytest
from project import SETTINGS

_EAGER = "tiny and stock and eager and fp32"


@pytest.fixture
def stacks(project: pytest.Pytester) -> pytest.Pytester:
    """A stack whose interpreter leaves a trace, and one that has no torch."""
    traced = project.path / "traced"
    traced.write_text(f'#!/bin/sh\necho "$@" >> {project.path}/trace\nexec {sys.executable} "$@"\n')
    traced.chmod(0o755)
    project.makepyprojecttoml(
        SETTINGS
        + f'[tool.perfsuite.stacks.traced]\ninterpreter = "{traced}"\n'
        + f'[tool.perfsuite.stacks.bare]\ninterpreter = "{sys.base_prefix}/bin/python3"\n'
    )
    return project


def test_workers_run_in_the_stack_that_is_named(stacks: pytest.Pytester) -> None:
    result = stacks.runpytest_subprocess("--stack", "traced", "-k", _EAGER)
    result.assert_outcomes(passed=1)
    assert "-m perfsuite.worker" in (stacks.path / "trace").read_text()


def test_what_the_stack_lacks_is_skipped_with_its_reason(stacks: pytest.Pytester) -> None:
    result = stacks.runpytest_inprocess("--stack", "bare", "-rs", "-k", _EAGER)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*unsupported: torch is not installed*"])


def test_an_unknown_stack_is_refused_in_one_line(stacks: pytest.Pytester) -> None:
    result = stacks.runpytest_inprocess("--stack", "nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: no stack nowhere; there are *ipex-2.8*traced*"])

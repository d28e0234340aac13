"""What a variant costs beside latency, and what the user ignores: real workers, faults planted after the baseline."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from project import SETTINGS, words

_MODELS = """
grows = "misbehaving:GROWS"
late = "misbehaving:LATE"
negated = "misbehaving:NEGATED"
"""
_IGNORED = """
[[tool.perfsuite.match]]
model = "negated"
backend = "stock"
ignore = "pt#12345: answers with the wrong sign"
"""
# What matters in speed is set wide: none of them is slower, and to exclude 2 % takes many pairs.
_SELECTED = ("--benchmark-only", "--matters", "50%", "-m", "stock and eager and bf16 and (grows or late or negated)")


def test_what_costs_more_fails_and_what_is_ignored_is_told(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyprojecttoml(SETTINGS + _MODELS)
    first = project.runpytest_subprocess(*_SELECTED, "--baseline-update-new")
    first.assert_outcomes(passed=3)
    for name in ("FAULTY", "TORCH_FAULTY"):
        monkeypatch.setenv(name, "1")
    project.makepyprojecttoml(SETTINGS + _MODELS + _IGNORED)
    night = project.runpytest_subprocess(*_SELECTED, "-rs")
    night.assert_outcomes(failed=2, skipped=1)
    for lines in (
        ["grows-stock-eager-bf16-latency: regressed*", "*costs: memory grows by * KiB an iteration, by * KiB in *"],
        [
            "late-stock-eager-bf16-latency: regressed*",
            "*costs: first inference takes [3-9].?? s, ?.?? s in *",
        ],
        ["ignored (1): pt#12345: answers with the wrong sign", "  negated-*: error*", "    wrong: FP32 reference: *"],
    ):
        night.stdout.fnmatch_lines(lines)
    skipped = "* SKIPPED * negated-*: error*; wrong: *; ignored: pt#12345: answers with the wrong sign*"
    assert fnmatchcase(words(night), skipped)


def test_an_entry_that_fits_no_variant_is_refused(project: pytest.Pytester) -> None:
    project.makepyprojecttoml(SETTINGS + _MODELS + _IGNORED.replace("negated", "negatd"))
    refused = project.runpytest_subprocess(*_SELECTED)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(
        ["ERROR: *tool.perfsuite.match* 1 (model negatd, backend stock) fits no variant; `perfsuite matrix` *"]
    )

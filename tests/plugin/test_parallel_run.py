"""A run whose tests two processes share, over real workers: what it prints is what one process would."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import perfsuite

_SUITE = Path(perfsuite.__file__).parent / "suite"


def _tables(result: pytest.RunResult) -> list[str]:
    """The variants in the tables of outputs and of kernels, in their order."""
    start = next(number for number, line in enumerate(result.outlines) if "accuracy against FP32" in line)
    return [line.split()[0] for line in result.outlines[start:] if line.startswith("tiny-")]


def test_processes_share_variants_and_one_prints_all_that_they_found(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    shutil.copy(_SUITE / "test_kernels.py", project.path)
    variants = [f"tiny-stock-eager-{precision}-smoke" for precision in ("fp32", "bf16")]
    result = project.runpytest_subprocess("-v", "-n", "2", "-k", "tiny and stock and eager and (fp32 or bf16)")
    result.assert_outcomes(passed=4)
    told = re.findall(r"\[(gw\d)\].* PASSED .*\[(.*)\]", result.stdout.str())
    assert sorted(variant for _, variant in told) == sorted(variants * 2)
    assert len(set(told)) == len({process for process, _ in told}) == 2
    assert _tables(result) == variants * 2

"""What may not end green in `perfsuite compare`: real workers of a stack and of the same with faults planted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from project import SETTINGS

_STACKS = f"""
dies = "misbehaving:DIES"
double = "misbehaving:DOUBLE"
negated = "misbehaving:NEGATED"
wrong = "misbehaving:WRONG"

[tool.perfsuite.stacks.faulty]
interpreter = "{sys.executable}"
environment = {{ TORCH_FAULTY = "1", ONEDNN_MAX_CPU_ISA = "SSE41" }}
"""
_FAULTY = ("current:stock", "faulty:stock", "--workload", "smoke")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text(SETTINGS + _STACKS)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    return tmp_path


def _compare(folder: Path, *arguments: str) -> tuple[int, str, Any]:
    """The exit status, what was printed on one line, and the report."""
    command = [str(Path(sys.executable).with_name("perfsuite")), "compare", *arguments, "--output", "out.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    written = folder / "out.json"
    report = json.loads(written.read_text())["report"] if written.exists() else None
    return done.returncode, " ".join((done.stdout + done.stderr).split()), report


def _kinds(violations: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["kind"], one["against"]) for one in violations}


def test_nothing_wrong_or_lost_is_green_however_little_is_known_of_speed(folder: Path) -> None:
    """One run, a model for each fault; the time is over before any speed is decided."""
    selection = "stock and eager and (fp32 and (double or negated) or bf16 and wrong)"
    status, printed, report = _compare(folder, *_FAULTY, "-m", selection, "--budget", "75s")
    outcomes = {row["pairing"]["candidate"]["model"]: row["outcome"] for row in report["rows"]}
    examined = {row["pairing"]["candidate"]["model"]: row["examination"] for row in report["rows"]}
    assert set(outcomes) == {"double", "negated", "wrong"}
    assert status == 1

    # Wrong against its own FP32.
    assert outcomes["wrong"]["verdict"] == "error"
    assert ("SQNR too low", "expectation") in _kinds(outcomes["wrong"]["outputs"])
    # FP32 itself is wrong, which nothing on its own side tells.
    assert outcomes["negated"]["verdict"] == "error"
    assert ("SQNR too low", "baseline's reference") in _kinds(outcomes["negated"]["outputs"])
    # Silicon that the baseline used; that a gate objects to something else on both sides does not hide it.
    assert outcomes["double"]["verdict"] == "lost"
    assert "precision" in {one["kind"] for one in examined["double"]["baseline"]["lost"]}
    assert {one["kind"] for one in outcomes["double"]["lost"]} == {"instruction set"}
    assert "error" in printed
    assert "lost" in printed


@pytest.mark.parametrize(("options", "status"), [((), 1), (("--accept-lost",), 3)])
def test_what_the_second_stack_does_not_support_is_lost(folder: Path, options: tuple[str, ...], status: int) -> None:
    found, printed, report = _compare(
        folder, "current:ipex", "current:stock", "-m", "tiny and torchscript and int8-static", *options
    )
    assert found == status
    assert "lost (1), not in B: torchao's INT8 is lowered by Inductor alone" in printed
    assert [one["outcome"]["verdict"] for one in report["one_sided"]] == ["lost"]


def test_a_best_mode_that_only_the_first_stack_has_is_lost_and_what_fails_is_shown(folder: Path) -> None:
    status, printed, report = _compare(folder, *_FAULTY, "--best", "-m", "dies and eager and fp32", "--budget", "60s")
    assert status == 1
    assert [one["outcome"]["verdict"] for one in report["one_sided"]] == ["lost"]
    assert "dies-stock-eager-fp32-smoke: error, beside another mode failed: worker" in printed
    assert "SIGSEGV" in printed


def test_a_comparison_that_compared_nothing_is_no_success(folder: Path) -> None:
    status, printed, _ = _compare(
        folder,
        "current:stock",
        "current:stock",
        "--workload",
        "smoke",
        "-m",
        "tiny and eager and fp32",
        "--budget",
        "1s",
    )
    assert status == 3
    assert "the budget ended after 0 pairs" in printed

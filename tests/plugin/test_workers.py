"""Workers that fail cost their own variant; an interrupted run keeps what it measured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project import words

_EAGER = "stock and eager and fp32"
_TWO = "tiny and stock and eager and (fp32 or bf16)"
_OURS = "not resnet50 and not bert and not minilm"


def _workers_of(session_id: int) -> list[int]:
    """The processes of launchers whose parent's session was ``session_id``, by their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            environment = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if f"PERFSUITE_TEST={session_id}".encode() in environment.split(b"\0"):
            found.append(int(entry.name))
    return found


@pytest.mark.parametrize("arguments", [("--benchmark-only",), ()], ids=["timing", "correctness"])
def test_each_failure_costs_its_own_variant_and_says_what_happened(
    project: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    result = project.runpytest_subprocess(
        *arguments, "-W", "error", "-k", f"{_EAGER} and {_OURS} and not hang", "--workload", "latency"
    )
    assert result.ret == 1
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 1
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 3
    output = words(result)
    assert "killed by SIGSEGV" in output
    assert "about to touch what is not mine" in output
    assert "answered with garbage" in output
    assert "can't allocate memory" in output


@pytest.mark.parametrize("arguments", [("--benchmark-only",), ()], ids=["timing", "correctness"])
def test_a_worker_that_hangs_costs_its_own_variant(project: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """Alone in its run: on a busy machine a sound worker may need longer than a short limit, too."""
    result = project.runpytest_subprocess(*arguments, "-k", f"{_EAGER} and hang", "--step-timeout-s", "5")
    assert result.ret == 1
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 1
    assert "hung: no answer within 5 s" in words(result)


def test_a_worker_killed_from_outside_costs_its_own_variant_and_resuming_measures_it(project: pytest.Pytester) -> None:
    run = _start(project)
    _wait_for_line(project, 1)
    newest = max(_workers_of(os.getpid()))
    os.kill(newest, signal.SIGKILL)
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 1
    assert "killed by SIGKILL" in output
    assert "1 passed" in output
    assert "--resume keeps what was measured, and tries again what failed (1): tiny-stock-eager-bf16" in output
    resumed = _start(project, "--resume")
    output, _ = resumed.communicate(timeout=300)
    assert resumed.returncode == 0
    assert "2 passed" in output


def test_an_interrupted_run_leaves_no_process_and_resumes(project: pytest.Pytester) -> None:
    run = _start(project)
    _wait_for_line(project, 1)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=300)
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert "kept 1 replicates" in output
    assert _workers_of(os.getpid()) == [], "processes outlived the interrupted run"

    resumed = _start(project, "--resume")
    output, _ = resumed.communicate(timeout=300)
    assert resumed.returncode == 0
    assert "2 passed" in output
    journals = list((project.path / ".perfsuite").glob("*.jsonl"))
    assert [len(journal.read_text().splitlines()) for journal in journals] == [
        1 + 4 + 2 + 1
    ]  # the header, replicates, checks, the end
    again = _start(project, "--resume")
    output, _ = again.communicate(timeout=300)
    assert again.returncode == pytest.ExitCode.USAGE_ERROR
    assert "came to its end" in output


def _start(project: pytest.Pytester, *arguments: str) -> subprocess.Popen[str]:
    """Two variants, two replicates each, in a pytest of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "--benchmark-only", "-k", _TWO, "--measure-s", "3", *arguments],
        cwd=project.path,
        env=os.environ | {"PERFSUITE_TEST": str(os.getpid())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _wait_for_line(project: pytest.Pytester, count: int) -> None:
    """Until the run has journalled ``count`` replicates and its next worker is at work."""
    deadline_s = time.monotonic() + 300
    while time.monotonic() < deadline_s:
        journals = list((project.path / ".perfsuite").glob("*.jsonl"))
        if journals and len(journals[0].read_text().splitlines()) == 1 + count:
            time.sleep(1)  # the next worker is forked within milliseconds
            return
        time.sleep(0.05)
    pytest.fail("the run journalled nothing")

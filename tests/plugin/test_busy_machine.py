"""Whatever times is refused at once, in one line and before it has started anything, while another run times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfsuite.measure.lock import machine_lock

_BUSY = f"another run times on this machine, and each would disturb the other: a test (process {os.getpid()} of "


@pytest.mark.parametrize(
    "arguments",
    [("compare", "current", "current"), ("selfcheck", "compare"), ("selfcheck", "overhead")],
    ids=" ".join,
)
def test_a_command_that_times_is_refused(arguments: tuple[str, ...], tmp_path: Path) -> None:
    perfsuite = Path(sys.executable).with_name("perfsuite")
    with machine_lock("a test"):
        done = subprocess.run(
            [perfsuite, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert _BUSY in done.stderr
    assert not (tmp_path / ".perfsuite").exists()


def test_a_timing_run_is_refused_and_correctness_is_not(project: pytest.Pytester) -> None:
    one = ("-k", "tiny and stock and eager and fp32")
    with machine_lock("a test"):
        timing = project.runpytest_subprocess("--benchmark-only", *one)
        correctness = project.runpytest_subprocess(*one)
    assert timing.ret == pytest.ExitCode.USAGE_ERROR
    assert _BUSY in timing.stderr.str()
    assert not (project.path / ".perfsuite").exists()
    correctness.assert_outcomes(passed=1)

"""Real timing runs that are killed and resumed; a night of them is `perfsuite selfcheck kills`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perfsuite.judge.colour import Status
from perfsuite.models.tiny import TINY
from perfsuite.selfcheck import kills
from perfsuite.selfcheck.kill_plan import Kill, Target

#: Makes the tiny model's weights, and is killed while it writes that they are there.
_KILLED = """
import os, signal, sys
from pathlib import Path
from test_kills import make
def cut(path, text):
    path.write_bytes(text[:9].encode())
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_text = cut
make(Path(sys.argv[1]))
"""


def make(folder: Path) -> None:
    from perfsuite.measure.packages import fetch_sources
    from perfsuite.worker.assets import make_weights

    make_weights(TINY, fetch_sources(), folder, policy="seeded")


def test_three_kills_lose_nothing_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of each target: the pytest process, and as early as can be a worker in a run that resumes."""
    planned = [
        Kill(target=Target.PYTEST, signal=signal.SIGTERM, lines_share=0.5, delay_share=0.1, again=True),
        Kill(target=Target.WORKER, signal=signal.SIGKILL, lines_share=0.0, delay_share=0.1, again=True),
        Kill(target=Target.LAUNCHER, signal=signal.SIGKILL, lines_share=0.5, delay_share=0.1, again=False),
    ]
    monkeypatch.setattr(kills, "planned", lambda count, seed: planned[:count])
    status = kills.run(runs=3, seed=0)
    out = capsys.readouterr().out
    assert status is Status.FINE, out
    assert out.splitlines()[-1] == "3 kills: 3 resumed, 0 records lost, 0 processes and 0 folders left behind"


def test_weights_whose_making_was_killed_are_made_again(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], env=environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert {path.name for path in tmp_path.iterdir() if path.name[0] != "."} == {"weights.safetensors"}
    make(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["weights.json", "weights.safetensors"]

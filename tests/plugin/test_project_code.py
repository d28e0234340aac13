"""A model of one's own, changed between two commits: judged as two stacks are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from project import SETTINGS

_MODEL = """
from perfsuite.models.tiny import Tiny


class Mine(Tiny):
    name = "mine"

    def build(self, sources):
        import torch

        class Network(torch.nn.Sequential):
            def forward(self, images):
                for _ in range(TIMES):
                    found = super().forward(images)
                return found

        return Network(torch.nn.Conv2d(3, 8, 7, stride=4), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


MINE = Mine()
"""
_ONE = "mine and stock and eager and fp32"


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a model of its own, the commit ``fast`` of it, and one that does its work five times."""
    monkeypatch.setenv("PYTHONPATH", str(project.path))
    root = project.path
    settings = SETTINGS.partition("[tool.perfsuite.models]")[0] + '[tool.perfsuite.models]\nmine = "mine:MINE"\n'
    project.makepyprojecttoml(settings)
    (root / ".gitignore").write_text("baselines\n.perfsuite\n__pycache__\n.pytest_cache\n*.json\n*.lock\n")
    _git(root, "init", "--quiet")
    for name, times in (("fast", 1), ("slow", 5)):
        (root / "mine.py").write_text(_MODEL.replace("TIMES", str(times)))
        _git(root, "add", ".")
        _git(root, "commit", "--quiet", "-m", name)
        _git(root, "tag", name)
    return root


def test_two_commits_are_compared(repository: Path) -> None:
    command = [str(Path(sys.executable).with_name("perfsuite")), "compare", "current@fast:stock", "current:stock"]
    command += ["-m", _ONE, "--resolution", "50%", "--budget", "120s", "--output", "out.json"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    (row,) = json.loads((repository / "out.json").read_text())["report"]["rows"]
    assert row["outcome"]["verdict"] == "regressed"
    worktrees = subprocess.run(["git", "-C", repository, "worktree", "list"], capture_output=True, check=True).stdout
    assert len(worktrees.splitlines()) == 1


def test_a_night_steps_a_model_beside_the_commit_that_was_accepted(project: pytest.Pytester, repository: Path) -> None:
    _git(repository, "checkout", "--quiet", "fast")
    run = ("--benchmark-only", "-m", _ONE, "--matters", "50%")
    assert project.runpytest_subprocess(*run, "--baseline-update-new").ret == 0
    _git(repository, "checkout", "--quiet", "slow")
    night = project.runpytest_subprocess(*run)
    assert night.ret == 1
    night.stdout.fnmatch_lines(["*mine-stock-eager-fp32-latency: regressed, ratio *", "*confirmed regression: *"])


def test_a_commit_that_there_is_not_is_refused(project: pytest.Pytester, repository: Path) -> None:
    refused = project.runpytest_subprocess("--benchmark-only", "-m", _ONE, "--stack", "current@nowhere")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["ERROR: git in *: there is no commit nowhere"])

"""What the nightly workflow commits when it proposes baselines: its own script, over real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

_WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "nightly.yml"
_STEP = "a pull request that commits them"
_FOLDER = Path("baselines") / "machine" / "stack"


def _script() -> str:
    steps = YAML(typ="safe").load(_WORKFLOW.read_text())["jobs"]["propose"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == _STEP]
    return str(script)


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("removed", "left"),
    [
        pytest.param((), ["new 1", "new 2", "old, of it all", "old, too"], id="no part removes a session"),
        pytest.param((1,), ["new 1", "new 2", "old, too"], id="the first part removes one"),
        pytest.param((2,), ["new 1", "new 2", "old, too"], id="the last part removes one"),
        pytest.param((1, 2), ["new 1", "new 2", "old, too"], id="both remove the same"),
    ],
)
def test_what_parts_added_is_committed_and_what_they_removed_is_not(
    removed: tuple[int, ...], left: list[str], tmp_path: Path
) -> None:
    origin, checkout, programs = tmp_path / "origin", tmp_path / "checkout", tmp_path / "bin"
    _git(tmp_path, "init", "--quiet", "--bare", str(origin))
    _git(tmp_path, "clone", "--quiet", str(origin), str(checkout))
    (checkout / _FOLDER).mkdir(parents=True)
    for name in ("old, of it all", "old, too"):
        (checkout / _FOLDER / name).touch()
    _git(checkout, "add", ".")
    _git(checkout, "commit", "--quiet", "-m", "two sessions")
    for part in (1, 2):
        folder = checkout / "shards" / f"nightly-speed-{part}"
        shutil.copytree(checkout / "baselines", folder / "baselines")
        (folder / _FOLDER / f"new {part}").touch()
        if part in removed:
            (folder / _FOLDER / "old, of it all").unlink()
    programs.mkdir()
    (programs / "gh").write_text("#!/bin/sh\n")  # GitHub's own program, which asks GitHub
    (programs / "gh").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}", "BASE": "main", "BRANCH": "proposed", "RUN": "a run",
    }  # fmt: skip
    # As GitHub runs a step whose shell is not said.
    subprocess.run(["bash", "-e", "-c", _script()], cwd=checkout, env=environment, check=True, capture_output=True)
    committed = _git(origin, "ls-tree", "-r", "-z", "--name-only", "proposed").rstrip("\0").split("\0")
    assert sorted(Path(name).name for name in committed) == left

"""A project at another commit, in a real git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from perfsuite.errors import UsageError
from perfsuite.measure.code import code_at


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits of a project that is a folder of the repository; the first has the tag ``old``."""
    folder = tmp_path / "repository"
    project = folder / "models"
    project.mkdir(parents=True)
    _git(folder, "init", "--quiet")
    for text in ("old", "new"):
        (project / "mine.py").write_text(text)
        _git(folder, "add", ".")
        _git(folder, "commit", "--quiet", "-m", text)
        _git(folder, "tag", text)
    return folder


def test_the_project_is_checked_out_and_gone_again(repository: Path, tmp_path: Path) -> None:
    code = code_at("old", repository / "models")
    assert code.commit == _git(repository, "rev-parse", "old")
    with code.checkout(tmp_path / "there") as project:
        assert (project / "mine.py").read_text() == "old"
        assert (repository / "models" / "mine.py").read_text() == "new"
    assert not (tmp_path / "there").exists()
    assert len(_git(repository, "worktree", "list").splitlines()) == 1


def test_what_a_killed_run_left_is_forgotten(repository: Path, tmp_path: Path) -> None:
    code = code_at("old", repository)
    _git(repository, "worktree", "add", "--detach", str(tmp_path / "killed"), "old")
    subprocess.run(["rm", "-r", str(tmp_path / "killed")], check=True)
    with code.checkout(tmp_path / "killed"):
        assert len(_git(repository, "worktree", "list").splitlines()) == 2
    assert len(_git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [("models", "there/models"), ("models/src", "there/models/src"), (".", "there"), ("/usr/lib", "/usr/lib")],
)
def test_paths_of_the_repository_are_found_in_the_checkout(
    repository: Path, tmp_path: Path, path: str, expected: str
) -> None:
    code = code_at("old", repository / "models")
    found = code.there(str(repository / path), tmp_path / "there" / "models")
    assert found == str(tmp_path / expected)


@pytest.mark.parametrize("commit", ["nowhere", "--help", ""])
def test_a_commit_that_is_none_is_refused(repository: Path, commit: str) -> None:
    with pytest.raises(UsageError, match="git in"):
        code_at(commit, repository)


def test_outside_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"):
        code_at("main", tmp_path)

"""A run's folder lives as long as the run, and what a killed one left is gone when the next begins."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perfsuite.measure import scratch
from perfsuite.measure.scratch import Scratch

#: A run that says where its folder is and then waits.
_WAITS = """
import time
from perfsuite.measure.scratch import Scratch
run = Scratch()
print(run.path, flush=True)
time.sleep(600)
"""
#: A run that begins many times, and each time has a folder that stays while it is used.
_BEGINS_OFTEN = """
from perfsuite.measure.scratch import Scratch
for _ in range(50):
    with Scratch() as folder:
        (folder / "file").write_text("kept")
        assert (folder / "file").read_text() == "kept"
        assert (folder / "lock").exists()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)  # it is looked up once
    yield tmp_path
    monkeypatch.undo()
    tempfile.tempdir = None


@contextmanager
def _waiting() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run and its folder."""
    with subprocess.Popen([sys.executable, "-c", _WAITS], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        try:
            yield run, Path(run.stdout.readline().rstrip())
        finally:
            run.kill()


def _left(temporary: Path, name: str = "perfsuite-run-abcdefgh") -> Path:
    """A folder as a killed run leaves it."""
    folder = temporary / name
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "logs").mkdir()
    (folder / "logs" / "worker.log").write_text("killed")
    return folder


def test_a_folder_goes_with_its_run(temporary: Path) -> None:
    with Scratch() as folder:
        assert folder.parent == temporary
        assert folder.is_dir()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_left_goes_and_what_a_living_one_has_stays(temporary: Path) -> None:
    with _waiting() as (run, killed):
        run.kill()
    assert killed.is_dir()
    with _waiting() as (_, living), Scratch() as folder:
        assert sorted(temporary.iterdir()) == sorted((living, folder))


def test_many_runs_that_begin_at_once_keep_their_folders(temporary: Path) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", _BEGINS_OFTEN]) for _ in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    with Scratch() as folder:
        assert list(temporary.iterdir()) == [folder]


def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Swept(tempfile.TemporaryDirectory[str]):
        def __init__(self, **how: object) -> None:
            super().__init__(prefix=str(how["prefix"]))
            made.append(Path(self.name))
            if len(made) == 1:
                scratch._sweep()

    monkeypatch.setattr(tempfile, "TemporaryDirectory", Swept)
    with Scratch() as folder:
        assert [path.exists() for path in made] == [False, True]
        assert folder == made[1]


def test_other_users_folders_and_what_is_not_ours_stay(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (temporary / "perfsuite-clone").mkdir()
    (temporary / "perfsuite-run-file").touch()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (temporary / "perfsuite-run-link").symlink_to(elsewhere)
    kept = sorted(temporary.iterdir())
    left = _left(temporary)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 12345)
        scratch._sweep()
        assert sorted(temporary.iterdir()) == sorted((*kept, left))
    scratch._sweep()
    assert sorted(temporary.iterdir()) == kept

"""What takes a file's place in one step, and what of it a killed process leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfsuite.partial import partial_of


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    return ended.pid


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_lies_beside_its_file_under_this_process_s_number(tmp_path: Path) -> None:
    assert partial_of(tmp_path / "a.json") == tmp_path / f".a.json.{os.getpid()}"
    assert _names(tmp_path) == []


def test_what_killed_processes_left_goes_and_what_living_ones_make_stays(tmp_path: Path, dead: int) -> None:
    (tmp_path / f".a.json.{dead}").touch()
    (tmp_path / f".b.json.{dead}").touch()
    (tmp_path / f".a.json.{os.getpid()}").mkdir()  # of one that was killed and had our number
    (tmp_path / f".a.json.{os.getpid()}" / "file").touch()
    others = [f".a.json.{os.getppid()}", ".a.json.txt", f".a.jsonl.{dead}", "a.json", f"a.json.{dead}"]
    for name in others:
        (tmp_path / name).touch()
    partial_of(tmp_path / "a.json")
    assert _names(tmp_path) == sorted(others)


def test_an_ending_with_brackets_is_no_pattern(tmp_path: Path, dead: int) -> None:
    (tmp_path / f".a.b.{dead}").touch()
    (tmp_path / f".a.[b].{dead}").touch()
    partial_of(tmp_path / "a.[b]")
    assert _names(tmp_path) == [f".a.b.{dead}"]

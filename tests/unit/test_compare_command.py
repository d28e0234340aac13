"""`perfsuite compare`: what it refuses before it measures anything, and how it names its sides."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import PLACEMENT

from perfsuite.cli import main
from perfsuite.commands.compare import _name
from perfsuite.records.placement import Placement
from perfsuite.settings import Settings


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("missing/report.md", "missing/report.md: there is no folder missing"),
        ("file/report.json", "file/report.json: there is no folder file"),
        ("folder.md", "folder.md cannot be written"),
        ("locked.md", "locked.md cannot be written"),
        ("locked/report.md", "locked/report.md cannot be written"),
        ("report.xls", "report.xls: the ending says how it is written: .json, .md, .html or .htm"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_at_once(
    output: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("folder.md", "locked"):
        Path(folder).mkdir()
    for file in ("file", "locked.md"):
        Path(file).touch()
    # Root may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path))
    # Would end with status 2 as well, but later and with other words.
    with pytest.raises(SystemExit) as stop:
        main(["compare", "nowhere", "nowhere", "--output", output])
    assert stop.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: argument --output: {words}\n")


@pytest.mark.parametrize("output", ["report.md", "there.json"])
def test_an_output_that_can_be_is_not(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERFSUITE_LOCK_FOLDER", str(tmp_path))
    Path("there.json").write_text("kept until there is another")
    assert main(["compare", "nowhere", "nowhere", "--output", output]) == 2
    assert "no stack nowhere" in capsys.readouterr().err
    assert Path("there.json").read_text() == "kept until there is another"


_ONE = PLACEMENT
_TWO = dataclasses.replace(PLACEMENT, seats=PLACEMENT.seats * 2)


@pytest.mark.parametrize(
    ("mine", "other", "expected"),
    [
        ((_ONE, ()), (_ONE, ()), "current"),
        ((_ONE, ("jemalloc",)), (_ONE, ("jemalloc",)), "current"),
        ((_ONE, ()), (_ONE, ("jemalloc",)), "current"),
        ((_ONE, ("jemalloc", "iomp5")), (_ONE, ()), "current preload=jemalloc,iomp5"),
        ((_TWO, ()), (_ONE, ()), f"current {_TWO.slug}"),
        ((_TWO, ("jemalloc",)), (_ONE, ()), f"current {_TWO.slug} preload=jemalloc"),
    ],
)
def test_a_side_is_named_by_what_it_has_otherwise(
    mine: tuple[Placement, tuple[str, ...]], other: tuple[Placement, tuple[str, ...]], expected: str
) -> None:
    rigs: list[Any] = [
        SimpleNamespace(placement=placement, settings=Settings(preload=preload)) for placement, preload in (mine, other)
    ]
    assert _name("current", *rigs) == expected

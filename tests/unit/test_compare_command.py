"""`perfsuite compare` refuses a report that it could not write before it measures anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perfsuite.cli import main


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

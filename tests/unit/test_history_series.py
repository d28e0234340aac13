"""`perfsuite history series`: what is printed of a variant."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from builders import VARIANT
from histories import rows_of_day, session_of_day

from perfsuite.cli import main
from perfsuite.history.address import VARIABLE, history_url
from perfsuite.history.database import History


def test_stacks_that_run_by_turns_are_drawn_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = session_of_day(0, 1).stack
    newer = dataclasses.replace(stack, packages={**stack.packages, "torch": "9.9.0"})
    (tmp_path / "pyproject.toml").write_text("[tool.perfsuite]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    with contextlib.closing(History(history_url(tmp_path, None, {}))) as history:
        for day in range(8):
            history.keep(rows_of_day(day, 100 + 50 * (day % 2), stack=newer if day % 2 else stack))
    assert main(["history", "series", VARIANT.id]) == 0
    printed = capsys.readouterr().out
    assert printed.count("4 sessions from ") == 2
    assert printed.count("no change of level") == 2
